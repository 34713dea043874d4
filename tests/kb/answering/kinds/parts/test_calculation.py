from collections.abc import Sequence

import pytest

from kb.answering.kinds.parts.calculation import Calculation, NotComputed, Operand, calculate
from kb.answering.kinds.parts.operands import copied_numbers
from kb.answering.kinds.parts.saying import result_line
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


@pytest.mark.parametrize(
    ("operation", "lines", "question", "expression"),
    [
        ("difference", ["tunnel: 1.2 km", "bridge: 350 m"], "How many metres longer is the tunnel?", "850 metres"),
        ("difference", ["隧道：1.2公里", "大桥：三百五十米"], "隧道比大桥长多少米？", "850 米"),
        ("difference", ["隧道：1.2公里", "大桥：三百五十米"], "隧道比大桥长多少？", "0.85公里"),
        ("difference", ["one: 3 hours", "second: 2 hours"], "How much shorter was the second?", "1 hours"),
        ("sum", ["甲：13.8万元", "乙：12万元"], "一共多少元？", "258,000 元"),
        ("sum", ["厨房：三万二千元", "客厅：八千元"], "一共多少？", "40,000元"),
        ("sum", ["图书馆：十二万册", "文化馆：九千册"], "一共多少？", "12.9万册"),
    ],
)
def test_result_is_in_the_unit_that_the_question_names(
    operation: Operation, lines: Sequence[str], question: str, expression: str
) -> None:
    assert computed(operation, *lines, question=question).expression.endswith(f" = {expression}")


@pytest.mark.parametrize(
    ("lines", "question"),
    [
        (["实际花费：13.8万元", "预算：12万元"], "实际花费比预算超出百分之几？"),
        (["spent: 13.8", "budget: 12"], "By how many percent did we spend more than the budget?"),
        (["実費：13.8", "予算：12"], "予算より実費は何パーセント多いですか。"),
    ],
)
def test_change_is_of_what_the_question_compares_with(lines: Sequence[str], question: str) -> None:
    assert computed("change", *lines, question=question).expression.endswith("= +15 %")


def test_days_are_subtracted_and_put_in_order() -> None:
    lines = ["sown: 3 March 2023", "picked: 18 June 2023"]
    assert computed("difference", *lines).expression == "2023-06-18 − 2023-03-03 = 107"
    latest = computed("highest", *lines)
    assert latest.found is not None
    assert result_line(latest, "Which came last?") == "**Latest: picked** (18 June 2023 > 3 March 2023)"
    assert isinstance(calculate("sum", operands(*lines), ""), NotComputed)
