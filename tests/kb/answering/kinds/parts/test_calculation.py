from collections.abc import Sequence

import pytest

from kb.answering.kinds.parts.calculation import Calculation, NotComputed, Operand, calculate
from kb.answering.kinds.parts.operands import copied_numbers
from kb.values.answers import Operation
from tests.kb.answering.kinds.lookup_harness import passage


def operands(*lines: str) -> list[Operand]:
    text = "\n".join(lines)
    return [copied.operand for copied in copied_numbers(text, [passage(text)])]


def computed(operation: Operation, *lines: str, question: str = "") -> Calculation:
    found = calculate(operation, operands(*lines), question)
    assert isinstance(found, Calculation)
    return found


@pytest.mark.parametrize(
    ("operation", "lines", "expression"),
    [
        ("sum", ["red: 12.50 €", "blue: 9 €"], "12.50 € + 9 € = 21.50 €"),
        ("sum", ["前年：35.2 万元", "去年：41.7 万元"], "35.2 万元 + 41.7 万元 = 76.9 万元"),
        ("sum", ["frames of 2022: 1,140", "frames of 2023: 2,655"], "1,140 + 2,655 = 3,795"),
        ("difference", ["P2: 27.8 kg", "P3: 31.5 kg"], "31.5 kg − 27.8 kg = 3.7 kg"),
        ("difference", ["one: 1 km", "other: 400 m"], "1 km − 400 m = 0.6 km"),
        ("ratio", ["old: 330", "new: 410"], "410 ÷ 330 ≈ 1.24"),
        (
            "difference",
            ["one: 2 hours and 10 minutes", "other: 50 minutes"],
            "2 hours and 10 minutes − 50 minutes = 80 min",
        ),
        ("average", ["first: 214 rayleighs", "second: 263 rayleighs"], "(214 rayleighs + 263 rayleighs) ÷ 2 = 238.5"),
        ("share", ["all: 41.6 MWh", "sun: 36.9 MWh"], "36.9 MWh ÷ 41.6 MWh ≈ 88.7 %"),
        ("change", ["2024: 41.6", "2023: 38.2"], "(41.6 − 38.2) ÷ 38.2 ≈ +8.9 %"),
        ("change", ["2023: 40", "2024: 30"], "(30 − 40) ÷ 40 = -25 %"),
        ("days", ["March: 11 March 2025", "April: 8 April 2025"], "2025-04-08 − 2025-03-11 = 28"),
    ],
)
def test_numbers_are_computed_exactly(operation: Operation, lines: Sequence[str], expression: str) -> None:
    assert computed(operation, *lines).expression.startswith(expression)


def test_greatest_and_least_are_named() -> None:
    lines = ["North Mast: 12 m", "South Mast: 18 m"]
    highest, lowest = computed("highest", *lines), computed("lowest", *lines)
    assert highest.found is not None
    assert lowest.found is not None
    assert (highest.found.name, highest.expression) == ("South Mast", "18 m > 12 m")
    assert (lowest.found.name, lowest.expression) == ("North Mast", "12 m < 18 m")
    assert computed("highest", "one: 3 m", "other: 300 cm").found is None, "they are equal"


def test_of_more_than_two_numbers_those_are_taken_that_the_question_names() -> None:
    lines = ["beds of the barn: 9", "beds of the guest house: 16", "beds of the school: 22"]
    found = computed("difference", *lines, question="How many more beds does the school have than the guest house?")
    assert found.expression == "22 − 16 = 6"


def test_what_is_missing_or_does_not_fit_is_not_computed() -> None:
    missing = calculate("sum", operands("red: 12.50 €"), "")
    assert isinstance(missing, NotComputed)
    assert (missing.because, [each.name for each in missing.operands]) == ("missing", ["red"])
    units = calculate("sum", operands("red: 12.50 €", "blue: 9 kg"), "")
    assert isinstance(units, NotComputed)
    assert units.because == "units"
