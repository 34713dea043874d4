"""Amounts above or below a number: what a question bounds is compared, not judged. Pure; for six languages."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial

from kb.text.quantities import quantities
from kb.text.scripts import in_one_writing

_ABOVE = re.compile(
    r"\b(?:above|over|more than|greater than|at least|exceeding|über|mehr als|mindestens|plus de|au moins|más de)\b"
    r"|\bsupérieurs? à|\bsuperiores? a\b|超过|高于|大于|多于|不低于|至少"
)
_BELOW = re.compile(
    r"\b(?:below|under|less than|at most|unter|weniger als|höchstens|moins de|au plus|menos de)\b"
    r"|\binférieurs? à|\binferiores? a\b|低于|小于|少于|不超过|至多"
)
_FROM, _UP_TO = re.compile("以上"), re.compile("以下|以内")
_REACH = 30  # characters in which the number stands

Bound = Callable[[str], bool]
"""Whether what is written of an item lies within; where its number is not known, it does."""


def bound_of(question: str) -> Bound | None:
    """Reads the bound that a question sets; None: it sets none."""
    text = in_one_writing(question).lower()
    for pattern, sign, follows in ((_BELOW, -1, True), (_ABOVE, 1, True), (_FROM, 1, False), (_UP_TO, -1, False)):
        for match in pattern.finditer(text):
            place = text[match.end() : match.end() + _REACH] if follows else text[: match.start()][-_REACH:]
            if (limit := _value(place)) is not None:
                return partial(_is_within, sign=sign, limit=limit)
    return None


def _is_within(written: str, *, sign: int, limit: Decimal) -> bool:
    number = _value(written)
    return number is None or sign * number >= sign * limit


def _value(text: str) -> Decimal | None:
    """The number of a text; of several the largest."""
    found = []
    for quantity in quantities(text, ones=True):
        try:
            found.append(Decimal(quantity.value))
        except InvalidOperation:  # a date, or a time
            continue
    return max(found, default=None)
