"""Amounts that can be computed with: exact numbers, their dimension, and days. Pure.

The unit may stand beside the number or in the head of its table, as 万元. What has no known unit keeps the word that
follows it, and fits any other.
"""

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from kb.text.dates import dates_in_figures, worded_dates
from kb.text.numerals import NUMERAL, value
from kb.text.quantities import Quantity, placed_quantities, units_named
from kb.text.scripts import CJK, in_one_writing

_FACTORS = {
    "mm": ("m", "0.001"),
    "cm": ("m", "0.01"),
    "m": ("m", "1"),
    "km": ("m", "1000"),
    "g": ("kg", "0.001"),
    "kg": ("kg", "1"),
    "t": ("kg", "1000"),
    "ms": ("s", "0.001"),
    "s": ("s", "1"),
    "min": ("s", "60"),
    "h": ("s", "3600"),
    "d": ("s", "86400"),
    "wk": ("s", "604800"),
    "W": ("W", "1"),
    "kW": ("W", "1000"),
    "MW": ("W", "1000000"),
    "Hz": ("Hz", "1"),
    "kHz": ("Hz", "1000"),
    "MHz": ("Hz", "1000000"),
    "GHz": ("Hz", "1000000000"),
    "m2": ("m2", "1"),
    "km2": ("m2", "1000000"),
}
"""What a unit is of its base; others are bases themselves, and money of one country is none of another."""

_DATE_IN_FIGURES = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_TEN_THOUSANDS = re.compile(rf"({NUMERAL})万零?({NUMERAL})")
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_MOST_BEFORE_FIGURE = 4  # characters: a sign, a currency
_IN_WORDS = re.compile(rf"{NUMERAL}[万亿]?|[a-z]+(?:[- ](?:one|two|three|four|five|six|seven|eight|nine)\b)?")
_WORD_AFTER = re.compile(rf"\s?([{CJK}]|[^\W\d_]+)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, or a day.

    Attributes:
        value: In the base of its dimension; of a day, its ordinal.
        dimension: Empty: none is known.
        unit: In which it is written; empty: none is known.
        scale: How many of the base are one of that unit.
    """

    value: Decimal
    dimension: str = ""
    unit: str = ""
    scale: Decimal = Decimal(1)

    @property
    def day(self) -> datetime.date | None:
        """The day that it is, if it is one."""
        return datetime.date.fromordinal(int(self.value)) if self.dimension == DAY else None

    def fits(self, other: "Amount") -> bool:
        """Whether both can be added and compared."""
        return self.dimension == other.dimension or (
            "" in (self.dimension, other.dimension) and DAY not in _of(self, other)
        )


DAY = "day"
_DAY_OF_ANY_YEAR = "day of any year"


@dataclass(frozen=True, slots=True)
class Value:
    """An amount where it stands.

    Attributes:
        written: A number without its unit; a day as it is.
        start: With `end`, where that is, in characters of the text.
        counted: The word after it, in small letters.
    """

    amount: Amount
    written: str
    start: int
    end: int
    counted: str

    def is_alike(self, other: "Value") -> bool:
        """Whether both may answer the same question: of one dimension, or counting the same."""
        mine, its = self.amount.dimension, other.amount.dimension
        return mine == its and (bool(mine) or self.counted == other.counted)


def amounts_in(text: str) -> list[Amount]:
    """The amounts of a text, in its order; 2 hours and 10 minutes are one."""
    written = _TEN_THOUSANDS.sub(_in_figures, in_one_writing(text).lower())
    return list(_joined(amount for amount, _ in _placed(written)))


def days_in(text: str) -> list[Amount]:
    """The days of a text, each once."""
    return list(dict.fromkeys(amount for amount in amounts_in(text) if amount.day))


def unit_in(text: str, dimension: str) -> tuple[str, Decimal] | None:
    """The unit of a dimension that a text names without a number, and how many of the base one is.

    Returns:
        None: it names none, or several.
    """
    found = {}
    for name, unit, scale in units_named(in_one_writing(text).lower()):
        base, factor = _FACTORS.get(unit, (unit, "1"))
        if base == dimension:
            found[unit, scale] = name, Decimal(factor) * scale
    return next(iter(found.values())) if len(found) == 1 else None


def values_in(text: str) -> list[Value]:
    """The amounts of a text, with their places."""
    written = in_one_writing(text).lower()
    found = [(amount, _figure_span(written, span)) for amount, span in _placed(written)]
    return [
        Value(amount, text[start:end], start, end, _counted(written, end))
        for amount, (start, end) in found
        if start < end and len(written) == len(text)
    ]


def _placed(written: str) -> list[tuple[Amount, tuple[int, int]]]:
    """The amounts with the places where they stand; of numbers, only where they begin is known."""
    placed = list(_days(written))
    for _, (start, end) in placed:
        written = f"{written[:start]}{' ' * (end - start)}{written[end:]}"
    placed += [(_amount(each), (place, place)) for each, place in placed_quantities(written) if _is_number(each)]
    return sorted(placed, key=lambda pair: pair[1])


def _figure_span(written: str, span: tuple[int, int]) -> tuple[int, int]:
    """Where a number that begins at a place is written, in figures behind a sign or a currency, or in words."""
    start, end = span
    if start < end:
        return span
    figure = _FIGURE.search(written, start)
    if figure and figure.start() <= start + _MOST_BEFORE_FIGURE and not _IN_WORDS.match(written, start):
        return figure.span()
    in_words = _IN_WORDS.match(written, start)
    return in_words.span() if in_words else span


def _counted(written: str, end: int) -> str:
    """The word, or the Chinese character, that stands after a number."""
    match = _WORD_AFTER.match(written, end)
    return match[1] if match else ""


def _in_figures(number: re.Match[str]) -> str:
    """一万九千 is 19000."""
    return str(int(value(number[1])) * 10_000 + int(value(number[2])))


def _of(*amounts: Amount) -> set[str]:
    return {amount.dimension for amount in amounts}


def _is_number(quantity: Quantity) -> bool:
    return bool(_NUMBER.fullmatch(quantity.value))


def _amount(quantity: Quantity) -> Amount:
    unit = quantity.unit or ""
    base, factor = _FACTORS.get(unit, (unit, "1"))
    scale = Decimal(factor)
    return Amount(Decimal(quantity.value) * scale, base, unit, scale)


def _days(text: str) -> Iterator[tuple[Amount, tuple[int, int]]]:
    """The days of a text that can be read in one way only; those of any year are no days of a calendar."""
    in_figures = [(dates_in_figures(match[0]), match.span()) for match in _DATE_IN_FIGURES.finditer(text)]
    certain = [(dates[0], span) for dates, span in in_figures if len(dates) == 1]
    for date, span in [*worded_dates(text), *certain]:
        if date.year and date.day:
            yield Amount(Decimal(datetime.date(date.year, date.month, date.day).toordinal()), DAY), span
        elif date.day:
            yield Amount(Decimal(100 * date.month + date.day), _DAY_OF_ANY_YEAR), span


def _joined(amounts: Iterable[Amount]) -> Iterator[Amount]:
    """Hours and the minutes that follow them are one amount."""
    before: Amount | None = None
    for amount in amounts:
        if before and before.dimension == amount.dimension == "s" and amount.scale < before.scale:
            before = Amount(before.value + amount.value, "s", amount.unit, amount.scale)
            continue
        if before:
            yield before
        before = amount
    if before:
        yield before
