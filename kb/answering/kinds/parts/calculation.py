"""Numbers with their names → a calculation and its result. Pure; exact decimals, never what a model has reckoned."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from kb.text.amounts import DAY, Amount, unit_in
from kb.text.terms import content_terms
from kb.values.answers import Operation

_PAIRS: tuple[Operation, ...] = ("difference", "ratio", "change", "share", "days")
"""What is computed of two numbers."""

_DECIMALS = re.compile(r"(?<=\d\.)\d+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PERCENT = Decimal(100)
_COMPARED_WITH = re.compile(
    r"\b(?:than|compared (?:to|with)|als|gegenüber|que|frente a)\b|(?<![相对之])比(?![例率较赛如])"
    "|(?P<follows>より|相比)",
    re.IGNORECASE,
)
"""What something is compared with stands behind it, or before it, in the six languages known here."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A number that is computed with.

    Attributes:
        name: What it is of; may be empty.
        written: As it stands in the source.
        template: How an amount is written in its unit, with `{}` for the number: `{} kg`, `${}`, `{} 万元`.
        unit: One of that unit, in the base of the dimension.
        is_converted: Whether that is another unit than in the source.
        is_quoted: Whether the name is the sentence that says it.
    """

    name: str
    written: str
    amount: Amount
    template: str
    unit: Decimal = Decimal(1)
    is_converted: bool = False
    is_quoted: bool = False

    @property
    def decimals(self) -> int:
        """How many decimals it is written with; none, if that says nothing of its unit here."""
        return 0 if self.is_converted else max((len(each) for each in _DECIMALS.findall(self.written)), default=0)

    def write(self, value: Decimal, decimals: int) -> str:
        """Writes an amount of the same dimension in the same unit, with so many decimals at least."""
        return self.template.format(_figures(value / self.unit, decimals))


@dataclass(frozen=True, slots=True)
class Calculation:
    """What was computed.

    Attributes:
        operands: In the order of the expression.
        expression: `31.5 kg − 27.8 kg = 3.7 kg`.
        found: The operand that is the greatest or the least; None: another thing was asked.
    """

    operation: Operation
    operands: tuple[Operand, ...]
    expression: str
    found: Operand | None = None


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Why nothing was computed.

    Attributes:
        because: There is too little, units do not fit, or the sources speak against a number.
        operands: What there is.
    """

    because: Literal["missing", "units", "doubtful"]
    operands: tuple[Operand, ...]


def calculate(operation: Operation, operands: Sequence[Operand], question: str) -> Calculation | NotComputed:
    """Computes what is asked for.

    Args:
        operation: Another than `none`.
        operands: In the order in which they were found.
        question: Tells which two are meant, where there are more.
    """
    chosen = _meant(operands, question) if operation in _PAIRS else list(operands)
    if len(chosen) < 2:
        return NotComputed("missing", tuple(chosen))
    are_days = all(each.amount.dimension == DAY for each in chosen)
    if are_days and operation == "difference":
        operation = "days"
    can_be = operation in ("days", "highest", "lowest") if are_days else operation != "days"
    if not can_be or not all(chosen[0].amount.fits(other.amount) for other in chosen):
        return NotComputed("units", tuple(chosen))
    if operation == "change":
        chosen = _earlier_first(question, chosen)
    return _COMPUTING[operation](operation, _in_unit_of(question, chosen))


def _meant(operands: Sequence[Operand], question: str) -> list[Operand]:
    """The two whose names say most of the question, in the order in which they were found."""
    asked = set(content_terms(question))
    ranked = sorted(operands, key=lambda each: -len(asked.intersection(content_terms(each.name))))
    return [each for each in operands if each in ranked[:2]]


def _earlier_first(question: str, operands: Sequence[Operand]) -> list[Operand]:
    """The two in the order of their years; without such, that first with which the question compares the other."""
    years = [(_YEAR.findall(each.name) or [""])[-1] for each in operands]
    if all(years) and years[0] != years[1]:
        return [each for _, each in sorted(zip(years, operands, strict=True), key=lambda pair: pair[0])]
    compared = _COMPARED_WITH.search(question)
    if compared is None:
        return list(operands)
    before, after = (set(content_terms(each)) for each in (question[: compared.start()], question[compared.end() :]))
    with_what, what = (before, after) if compared["follows"] else (after, before)
    names = [set(content_terms(each.name)) for each in operands]
    order = [len(name & what) - len(name & with_what) for name in names]
    return [each for _, each in sorted(zip(order, operands, strict=True), key=lambda pair: pair[0])]


def _in_unit_of(question: str, operands: Sequence[Operand]) -> list[Operand]:
    """The operands, whose results are written in the unit that the question names, if it names one of theirs."""
    named = [unit_in(question, each.amount.dimension) for each in operands]
    found = next(filter(None, named), None)
    if found is None:
        return list(operands)
    name, of_base = found
    return [
        replace(each, template=f"{{}} {name}", unit=of_base, is_converted=each.unit != of_base) for each in operands
    ]


def _sum(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    total = sum((each.amount.value for each in operands), Decimal())
    terms = " + ".join(each.written for each in operands)
    return Calculation(operation, tuple(operands), f"{terms} = {operands[0].write(total, _decimals(operands))}")


def _average(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    mean = sum((each.amount.value for each in operands), Decimal()) / len(operands)
    terms = " + ".join(each.written for each in operands)
    result = _equals(mean / operands[0].unit, 2, operands[0].template)
    return Calculation(operation, tuple(operands), f"({terms}) ÷ {len(operands)} {result}")


def _difference(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    large, small = _descending(operands)
    result = large.write(large.amount.value - small.amount.value, _decimals(operands))
    return Calculation(operation, (large, small), f"{large.written} − {small.written} = {result}")


def _ratio(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    large, small = _descending(operands)
    if not small.amount.value:
        return Calculation(operation, (large, small), f"{large.written} ÷ {small.written}")
    result = _equals(large.amount.value / small.amount.value, 2)
    return Calculation(operation, (large, small), f"{large.written} ÷ {small.written} {result}")


def _share(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    whole, part = _descending(operands)
    result = _equals(_PERCENT * part.amount.value / (whole.amount.value or 1), 1, "{} %")
    return Calculation(operation, (part, whole), f"{part.written} ÷ {whole.written} {result}")


def _change(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    before, after = operands
    more = after.amount.value - before.amount.value
    result = _equals(_PERCENT * more / (before.amount.value or 1), 1, "+{} %" if more > 0 else "{} %")
    return Calculation(operation, (after, before), f"({after.written} − {before.written}) ÷ {before.written} {result}")


def _extreme(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    ordered = _descending(operands)
    sign = " > "
    if operation == "lowest":
        ordered, sign = ordered[::-1], " < "
    equal = ordered[0].amount.value == ordered[1].amount.value
    expression = sign.join(each.written for each in ordered)
    return Calculation(operation, tuple(ordered), expression, None if equal else ordered[0])


def _days(operation: Operation, operands: Sequence[Operand]) -> Calculation:
    last, first = _descending(operands)
    days = int(last.amount.value - first.amount.value)
    return Calculation(operation, (last, first), f"{last.amount.day} − {first.amount.day} = {days}")


_COMPUTING: dict[Operation, Callable[[Operation, Sequence[Operand]], Calculation]] = {
    "sum": _sum,
    "average": _average,
    "difference": _difference,
    "ratio": _ratio,
    "share": _share,
    "change": _change,
    "highest": _extreme,
    "lowest": _extreme,
    "days": _days,
}


def _descending(operands: Sequence[Operand]) -> list[Operand]:
    return sorted(operands, key=lambda each: each.amount.value, reverse=True)


def _equals(value: Decimal, decimals: int, template: str = "{}") -> str:
    """Writes a result with so many decimals at most, and whether it is rounded."""
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{'=' if rounded == value else '≈'} {template.format(_figures(rounded))}"


def _decimals(operands: Sequence[Operand]) -> int:
    return max(each.decimals for each in operands)


def _figures(number: Decimal, decimals: int = 0) -> str:
    exact = number.normalize()
    return f"{exact:,.{max(decimals, -int(exact.as_tuple().exponent))}f}"
