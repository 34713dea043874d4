"""Numbers and dates → terms that are the same however they were written: 1,250 and 1250, 1 July 2023 and 2023年7月1日.

Pure. Text comes in one writing (`kb.text.scripts`). A date that can be read in two ways, as 07/01/2023, is found
in both readings, and bears out neither.
"""

import re
from collections.abc import Iterator

from kb.text.dates import dates_in_figures, without_worded_dates, worded_dates, years_in_characters
from kb.text.numerals import NUMERAL, value

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER = re.compile(r"(?<![a-z_\d])(?<!\d[.,:/-])v?(\d+(?:[.,:/-]\d+)*)")
_BETWEEN_NUMBERS = re.compile("[,/-]")
_YEARS = re.compile(r"(?:1\d|20)\d\d-(?:1\d|20)\d\d")
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)*)\s?(?:%|per ?cent\b)")
_CHINESE_PERCENT = re.compile(rf"百分之(\d+(?:\.\d+)?|{NUMERAL})")
_QUARTER = re.compile(
    r"(?:first|second|third|fourth|1st|2nd|3rd|4th)(?=\s+(?:fiscal\s+)?quarter\b)|[一二三四1-4](?=季度)"
)
_QUARTERS = (
    ("first", "1st", "一", "1"),
    ("second", "2nd", "二", "2"),
    ("third", "3rd", "三", "3"),
    ("fourth", "4th", "四", "4"),
)


def number_terms(written: str) -> tuple[str, ...]:
    """The terms by which a number, a date in figures, a time or a version is found.

    Args:
        written: Figures, with `.`, `,`, `:`, `/` or `-` between them.

    Returns:
        The number without thousands separators, and what of it is asked for alone: both years of 1990-1995, the
        series 3.11 of a version 3.11.2.
    """
    plain = _THOUSANDS.sub("", written)
    if dates := dates_in_figures(plain):
        return tuple(dict.fromkeys(term for date in dates for term in (*date.terms, str(date.year))))
    numbers_inside = _BETWEEN_NUMBERS.split(plain)
    if len(numbers_inside) > 1:
        return (plain, *numbers_inside)
    if plain.count(".") > 1:
        return (plain, plain.rpartition(".")[0])
    return (plain,)


def worded_terms(text: str) -> Iterator[str]:
    """The terms of dates, quarters and shares that are written with words, beside those of the words themselves."""
    text = text.lower()
    for date, _ in worded_dates(text):
        yield from date.terms
    yield from years_in_characters(text)
    if "quarter" in text or "季度" in text:
        yield from (f"q{_quarter(name)}" for name in _QUARTER.findall(text))
    if "%" in text or "percent" in text or "per cent" in text:
        yield from (f"{_THOUSANDS.sub('', share)}%" for share in _PERCENT.findall(text))
    if "百分之" in text:
        yield from (f"{value(share)}%" for share in _CHINESE_PERCENT.findall(text))


def numbers(text: str) -> set[str]:
    """The numbers, dates and times of a text, so that a statement can be held against its source.

    With a date goes what follows from it (its year, its month, its day), so that the numbers of a statement are among
    those of its source if it says no more than that.
    """
    text = text.lower()
    found = set(map(value, _CHINESE_PERCENT.findall(text)))
    for date, _ in worded_dates(text):
        found |= date.implied
    for written in _NUMBER.findall(without_worded_dates(text)):
        found |= _checkable(_THOUSANDS.sub("", written))
    return found


def _checkable(plain: str) -> set[str]:
    dates = dates_in_figures(plain)
    if dates:
        return dates[0].implied if len(dates) == 1 else {plain, str(dates[0].year)}
    return set(plain.split("-")) if _YEARS.fullmatch(plain) else {plain}


def _quarter(name: str) -> int:
    return next(n for n, names in enumerate(_QUARTERS, start=1) if name in names)
