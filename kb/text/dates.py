"""Dates, in many writings: 2023-07-01, 2023/7/1, 1.7.2023, July 1, 2023, 1st of July, 2023年7月1日, 二〇二三年七月.

Pure. Text comes in one writing (`kb.text.scripts`) and in small letters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.text.numerals import NUMERAL, value

_YEAR = r"(?:1\d|20)\d\d"
_YEAR_FIRST = re.compile(rf"({_YEAR})([-/.])(\d\d?)\2(\d\d?)")
_YEAR_LAST = re.compile(rf"(\d\d?)([-/.])(\d\d?)\2({_YEAR})")
_YEAR_AND_MONTH = re.compile(rf"({_YEAR})[-/](\d\d)")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WITH_NAME = re.compile(  # begins with the name, for which the engine looks quickly
    r"(january|jan|february|feb|march|mar|april|apr|may|june|jun|july|jul|august|aug|september|sept|sep|october|oct"
    rf"|november|nov|december|dec)\b\.?(?:\s+(\d\d?)(?:st|nd|rd|th)?(?![\w:%]|[.,]\d))?(?:,?\s+({_YEAR})(?![\w-]))?"
)
_DAY_BEFORE = re.compile(r"(?<![\w.,:/-])(\d\d?)(?:st|nd|rd|th)?\s+(?:of\s+)?\Z")
_CHARS_BEFORE = 12
_DIGIT = re.compile(r"\d")

_MONTH_SIGN = re.compile("[月월]")
_BEFORE_SIGN = re.compile(rf"(?:({_YEAR}|[〇零一二三四五六七八九]{{4}})\s?[年년]\s?)?(?<![\d.])(\d\d?|{NUMERAL})\s?\Z")
_AFTER_SIGN = re.compile(rf"份?\s?(\d\d?|{NUMERAL})\s?[日号일]")
_YEAR_IN_CHARACTERS = re.compile("[〇零一二三四五六七八九]{4}(?=年)")


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month, or a day of any year."""

    year: int | None
    month: int
    day: int | None

    @property
    def terms(self) -> tuple[str, ...]:
        """Under which it is found: what it says together with each part that it says of it; month first."""
        terms = [f"{self.month}月"]
        if self.year:
            terms.append(f"{self.year}-{self.month:02}")
        if self.day:
            terms.append(f"{self.month:02}-{self.day:02}")
        if self.year and self.day:
            terms.append(f"{self.year}-{self.month:02}-{self.day:02}")
        return tuple(terms)

    @property
    def implied(self) -> set[str]:
        """All that is said with it: its terms, its year, its day."""
        return {*self.terms, *(str(part) for part in (self.year, self.day) if part)}


def dates_in_figures(written: str) -> list[Date]:
    """Reads a date that is written in figures, and nothing else, with its year in four.

    Returns:
        More than one where day and month cannot be told apart; none if it is no date.
    """
    if match := _YEAR_FIRST.fullmatch(written):
        return _valid((int(match[1]), int(match[3]), int(match[4])))
    if match := _YEAR_AND_MONTH.fullmatch(written):
        return _valid((int(match[1]), int(match[2]), None))
    if match := _YEAR_LAST.fullmatch(written):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        return _valid((year, second, first), *([(year, first, second)] if match[2] != "." else []))
    return []


def worded_dates(text: str) -> Iterator[tuple[Date, tuple[int, int]]]:
    """Finds the dates in a text that are written with the name of a month, or with the signs for year, month and day.

    Returns:
        Dates, with their spans in the text.
    """
    if not _DIGIT.search(text) and "月" not in text:
        return
    for match in _WITH_NAME.finditer(text):
        if date := _with_name(text, match):
            yield date
    for match in _MONTH_SIGN.finditer(text):
        if date := _with_sign(text, match):
            yield date


def without_worded_dates(text: str) -> str:
    """Blanks the dates that `worded_dates` finds; here letters may be large."""
    for _, (start, end) in worded_dates(text.lower()):
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def years_in_characters(text: str) -> list[str]:
    """The years, in figures, that a text writes as 二〇二三年."""
    return [value(year) for year in _YEAR_IN_CHARACTERS.findall(text)] if "年" in text else []


def _with_name(text: str, match: re.Match[str]) -> tuple[Date, tuple[int, int]] | None:
    start, end = match.span()
    if start and text[start - 1].isalnum():
        return None
    name, day, year = match.groups()
    if not day and (before := _DAY_BEFORE.search(text, max(0, start - _CHARS_BEFORE), start)):
        day, start = before[1], before.start()
    if not day and not year:
        return None
    month = _MONTHS.index(name[:3]) + 1
    dates = _valid((int(year) if year else None, month, int(day) if day else None))
    return (dates[0], (start, end)) if dates else None


def _with_sign(text: str, match: re.Match[str]) -> tuple[Date, tuple[int, int]] | None:
    before = _BEFORE_SIGN.search(text, max(0, match.start() - _CHARS_BEFORE), match.start())
    if not before:
        return None
    after = _AFTER_SIGN.match(text, match.end())
    year, month, day = (int(value(part)) if part else None for part in (*before.groups(), after and after[1]))
    dates = _valid((year, month, day))
    return (dates[0], (before.start(), (after or match).end())) if dates else None


def _valid(*dates: tuple[int | None, int | None, int | None]) -> list[Date]:
    return [
        Date(year, month, day)
        for year, month, day in dict.fromkeys(dates)
        if month and 1 <= month <= 12 and (day is None or 1 <= day <= 31)
    ]
