import pytest

from kb.text.quantities import Quantity, are_among, quantities


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4.5 million people", "4,500,000 people"),
        ("450万人", "4.5 million people"),
        ("1亿2000万元", "1.2亿元"),
        ("twenty-five domes", "25 domes"),
        ("两个房间", "2 rooms"),
        ("第二十三届", "the 23rd time"),
        ("twelve percent", "12%"),
        ("百分之十二", "12 per cent"),
        ("July 1, 2023", "2023年7月1日"),
        ("at 9:00", "at nine"),
        ("１２５０克朗", "1,250 crowns"),
        ("5 °C", "5 degrees Celsius"),
        ("5公里", "5 kilometres"),
        ("$12", "12 dollars"),
        ("5-10%", "5% to 10%"),
        ("between 24 and 10", "24–10"),
        ("the second day", "the 2nd day"),
        ("零下15度", "-15度"),
        ("三分之二", "2/3"),
    ],
)
def test_same_number_in_two_writings(one: str, other: str) -> None:
    assert quantities(one)
    assert are_among(quantities(one), quantities(other))
    assert are_among(quantities(other), quantities(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4.5 million", "4.5 billion"),
        ("4.5 million", "4.5"),
        ("3万", "3亿"),
        ("12%", "12"),
        ("12", "12%"),
        ("百分之十二", "12"),
        ("5 km", "5 miles"),
        ("5元", "5美元"),
        ("9 a.m.", "9 p.m."),
        ("July 1, 2023", "July 2023"),
        ("2023-07-01", "2023-08-01"),
        ("1,250", "1,350"),
        ("version 3.11.2", "version 3.11.3"),
    ],
)
def test_different_numbers(one: str, other: str) -> None:
    assert quantities(one)
    assert not are_among(quantities(one), quantities(other))


def test_a_number_without_a_unit_may_have_any() -> None:
    assert are_among(quantities("5 km"), quantities("| distance in km | 5 |"))
    assert Quantity("5").is_as(Quantity("5", "km"))
    assert not Quantity("5", "km").is_as(Quantity("5", "mi"))


def test_a_part_of_a_date_follows_from_it() -> None:
    assert are_among(quantities("in July 2023"), quantities("on 2023-07-01"))
    assert are_among(quantities("in 2023"), quantities("on July 1, 2023"))


def test_one_and_first_are_numbers_of_a_source_alone() -> None:
    assert quantities("one of the first") == frozenset()
    assert quantities("one of the first", ones=True) == {Quantity("1")}
    assert quantities("one million") == {Quantity("1000000")}


def test_a_chinese_number_of_several_places_counts_whatever_follows() -> None:
    assert quantities("藏书九千册，果子四百五十筐") == {Quantity("9000"), Quantity("450")}
    assert quantities("八方来客，百般照应") == frozenset()
