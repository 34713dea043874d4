from decimal import Decimal

import pytest

from kb.text.amounts import amounts_in, unit_in, values_in


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("31.5 kg", "31.5", "kg"),
        ("350 g", "0.35", "kg"),
        ("1,140", "1140", ""),
        ("一万九千元", "19000", "CNY"),
        ("2.6 万元", "26000", "CNY"),
        ("3亿", "300000000", ""),
        ("$12.50", "12.5", "USD"),
        ("12.50 €", "12.5", "EUR"),
        ("2 hours and 10 minutes", "7800", "s"),
        ("3 km", "3000", "m"),
        ("9.4 percent", "9.4", "%"),
        ("-38 °C", "-38", "°C"),
    ],
)
def test_amount_is_exact_and_in_the_base_of_its_dimension(text: str, value: str, dimension: str) -> None:
    (amount,) = amounts_in(text)
    assert (amount.value, amount.dimension) == (Decimal(value), dimension)


@pytest.mark.parametrize("text", ["8 April 2025", "2025-04-08", "2025年4月8日", "on April 8, 2025"])
def test_day_with_its_year_is_a_day(text: str) -> None:
    (amount,) = amounts_in(text)
    assert str(amount.day) == "2025-04-08"


@pytest.mark.parametrize("text", ["no number at all", "07/01/2023"])
def test_what_can_be_read_in_two_ways_is_no_day(text: str) -> None:
    assert [amount.day for amount in amounts_in(text) if amount.day] == []


def test_money_of_two_countries_does_not_fit_and_neither_do_days_and_numbers() -> None:
    dollars, euros, plain, day = amounts_in("$3, 4 €, 5 lamps, 2025-04-08")
    assert not dollars.fits(euros)
    assert dollars.fits(plain)
    assert not day.fits(plain)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Old Ferro needs eleven mules, 400 kg and $12.50.", ["eleven", "400", "12.50"]),
        ("twenty-one sheep on 3 May 2025", ["twenty-one", "3 May 2025"]),
        ("准备四台小望远镜和二十块羊皮坐垫", ["四", "二十"]),
        ("no number", []),
    ],
)
def test_value_has_its_place(text: str, values: list[str]) -> None:
    found = values_in(text)
    assert sorted(value.written for value in found) == sorted(values)
    assert all(text[value.start : value.end] == value.written for value in found)


def test_values_are_alike_that_count_the_same_or_have_one_dimension() -> None:
    mules, others, kilograms, grams = values_in("eleven mules, 9 mules, 4 kg, 300 g")
    assert mules.is_alike(others)
    assert kilograms.is_alike(grams)
    assert not mules.is_alike(kilograms)
    beds, rooms = values_in("16 beds in 4 rooms")
    assert not beds.is_alike(rooms)


@pytest.mark.parametrize(
    ("text", "dimension", "unit"),
    [
        ("How many minutes longer?", "s", ("minutes", 60)),
        ("东山隧道比大桥长多少米？", "m", ("米", 1)),
        ("多多少万元？", "CNY", ("万元", 10_000)),
        ("Was the second longer than the first?", "s", None),
        ("小周比老李多用多少小时？", "s", None),  # 周 may be a week
        ("How many metres?", "kg", None),
    ],
)
def test_unit_that_a_question_names(text: str, dimension: str, unit: tuple[str, int] | None) -> None:
    assert unit_in(text, dimension) == (unit and (unit[0], Decimal(unit[1])))
