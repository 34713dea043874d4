import pytest

from kb.text.numbers import number_terms, numbers, worded_terms


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        ("1,234.5", ("1234.5",)),
        ("10:30", ("10:30",)),
        ("3.11.2", ("3.11.2", "3.11")),
        ("1990-1995", ("1990-1995", "1990", "1995")),
        ("24/7", ("24/7", "24", "7")),
        ("1,2,3", ("1,2,3", "1", "2", "3")),
        ("2023-07-01", ("7月", "2023-07", "07-01", "2023-07-01", "2023")),
    ],
)
def test_number_terms(written: str, terms: tuple[str, ...]) -> None:
    assert number_terms(written) == terms


def test_a_date_that_can_be_read_in_two_ways_is_found_in_both() -> None:
    assert {"2023-07-01", "2023-01-07"} <= set(number_terms("07/01/2023"))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("It rose by 5% in the Third Quarter.", ["q3", "5%"]),
        ("1,250.5 percent; 2 per cent", ["1250.5%", "2%"]),
        ("第三季度增长百分之十五", ["q3", "15%"]),
        ("二〇二三年", ["2023"]),
        ("On 1 July", ["7月", "07-01"]),
        ("a recent quarter", []),
    ],
)
def test_worded_terms(text: str, terms: list[str]) -> None:
    assert list(worded_terms(text)) == terms


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("on 1 July 2023", "Date: 2023-07-01"),
        ("on July 1st", "2023年7月1日"),
        ("in July 2023", "2023/7/1"),
        ("7月", "on July 1, 2023"),
        ("in 2023", "on 1.7.2023"),
        ("7月1日", "七月一日"),
        ("from 1990 to 1995", "1990-1995"),
        ("1990-1995", "in 1990 and until 1995"),
        ("07/01/2023", "signed 07/01/2023"),
        ("version 3.11.2", "v3.11.2"),
        ("百分之五", "5%"),
        ("1250 kg", "1,250kg"),
        ("第5章", "chapter 5"),
    ],
)
def test_numbers_of_a_statement_are_among_those_of_a_source_that_says_it(statement: str, source: str) -> None:
    assert numbers(statement)
    assert numbers(statement) <= numbers(source)


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("on 1 July 2023", "in July 2023"),
        ("on 1 July 2023", "on 1 July"),
        ("on 1 July 2023", "on 2 July 2023"),
        ("on 7 January 2023", "07/01/2023"),
        ("7 people", "on July 1"),
        ("they won 3-2", "they lost 2-3"),
        ("Python 3.1", "Python 3.10"),
        ("version 3.11.2", "version 3.11"),
        ("GPT-4", "GPT-3"),
        ("百分之五", "百分之五十"),
    ],
)
def test_numbers_of_a_statement_are_not_among_those_of_a_source_that_says_less_or_something_else(
    statement: str, source: str
) -> None:
    assert not numbers(statement) <= numbers(source)


@pytest.mark.parametrize("text", ["none", "x86_64", "GPT4.5", "a.b"])
def test_figures_inside_a_name_are_no_number(text: str) -> None:
    assert numbers(text) == set()
