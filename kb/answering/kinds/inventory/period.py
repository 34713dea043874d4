"""The days that a question about documents names: a year, a month, a day, "last week". Pure; Chinese and English."""

import datetime
import re
from dataclasses import dataclass

from kb.text.dates import Date, worded_dates
from kb.text.scripts import in_one_writing

_DAY = datetime.timedelta(days=1)
_YEAR = re.compile(r"(?<![A-Za-z\d-])((?:19|20)\d\d)(?![A-Za-z\d-])年?")
_RELATIVE = re.compile(
    r"\b(?P<this>this)\s+(?:week|month|year)\b|\b(?P<last>last|past)\s+(?:week|month|year)\b|\btoday\b|\byesterday\b"
    r"|(?P<these>[这本]个?(?:周|星期|月)|今年)|(?P<those>上个?(?:周|星期|月)|去年)|今天|昨天"
)
_UNIT = re.compile(r"(?P<week>week|周|星期)|(?P<month>month|月)|(?P<year>year|年)")


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both counted.

    Attributes:
        start: With `end`, where the text names it, in characters.
    """

    since: datetime.date
    until: datetime.date
    start: int
    end: int


def period_in(question: str, today: datetime.date) -> Period | None:
    """The first period that a question names; a month without a year is the last one that has begun.

    Args:
        question: In one writing (`kb.text.scripts`).
    """
    text = in_one_writing(question).lower()
    for date, (start, end) in worded_dates(text):
        return Period(*_days_of(date, today), start, end)
    if match := _RELATIVE.search(text):
        return Period(*_relative(match, today), *match.span())
    if match := _YEAR.search(text):
        year = int(match[1])
        return Period(datetime.date(year, 1, 1), datetime.date(year, 12, 31), *match.span())
    return None


def _days_of(date: Date, today: datetime.date) -> tuple[datetime.date, datetime.date]:
    year = date.year or (today.year if (date.month, date.day or 1) <= (today.month, today.day) else today.year - 1)
    if date.day:
        day = _first_of(year, date.month) + (date.day - 1) * _DAY
        return day, day
    return _first_of(year, date.month), _first_of(year, date.month + 1) - _DAY


def _relative(match: re.Match[str], today: datetime.date) -> tuple[datetime.date, datetime.date]:
    unit = _UNIT.search(match[0])
    before = bool(match["last"] or match["those"])
    if unit is None:
        day = today - _DAY * (match[0] in ("yesterday", "昨天"))
        return day, day
    if unit["week"]:
        monday = today - _DAY * (today.weekday() + 7 * before)
        return monday, monday + 6 * _DAY
    if unit["month"]:
        return _first_of(today.year, today.month - before), _first_of(today.year, today.month - before + 1) - _DAY
    return _first_of(today.year - before, 1), _first_of(today.year - before, 13) - _DAY


def _first_of(year: int, month: int) -> datetime.date:
    """The first day of a month; the months before January and after December are those of other years."""
    years, month = divmod(month - 1, 12)
    return datetime.date(year + years, month + 1, 1)
