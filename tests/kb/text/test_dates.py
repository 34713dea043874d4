import pytest

from kb.text.dates import Date, dates_in_figures, worded_dates, years_in_characters

DAY = Date(2023, 7, 1)


@pytest.mark.parametrize(
    ("written", "dates"),
    [
        ("2023-07-01", [DAY]),
        ("2023/7/1", [DAY]),
        ("2023.7.1", [DAY]),
        ("1.7.2023", [DAY]),
        ("2023-07", [Date(2023, 7, None)]),
        ("25/12/2023", [Date(2023, 12, 25)]),
        ("12/25/2023", [Date(2023, 12, 25)]),
        ("07/07/2023", [Date(2023, 7, 7)]),
        ("07/01/2023", [Date(2023, 1, 7), DAY]),
        ("2023-13-01", []),
        ("2023-07-32", []),
        ("2023-7/1", []),
        ("1990-95", []),
        ("1990-1995", []),
        ("2023.07", []),
        ("3.11.2", []),
        ("10/12", []),
    ],
)
def test_dates_in_figures(written: str, dates: list[Date]) -> None:
    assert dates_in_figures(written) == dates


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("july 1, 2023", DAY),
        ("july 1st 2023", DAY),
        ("1 july 2023", DAY),
        ("1st of july, 2023", DAY),
        ("jul. 1,\n2023", DAY),
        ("2023年7月1日", DAY),
        ("2023 年 7 月 1 日", DAY),
        ("二〇二三年七月一日", DAY),
        ("2023年7月1号", DAY),
        ("2023년 7월 1일", DAY),
        ("july 2023", Date(2023, 7, None)),
        ("2023年7月", Date(2023, 7, None)),
        ("july 1", Date(None, 7, 1)),
        ("7月1日", Date(None, 7, 1)),
        ("十二月三十一日", Date(None, 12, 31)),
        ("7月", Date(None, 7, None)),
    ],
)
def test_worded_dates(written: str, date: Date) -> None:
    assert list(worded_dates(f"on {written} it rained")) == [(date, (3, 3 + len(written)))]


@pytest.mark.parametrize(
    "text",
    [
        "it may rain on 5 days",
        "2 marches",
        "dismay 5",
        "july 45 is none",
        "may 2,000 people come",
        "june 3.5",
        "三个月",
        "13月1日",
        "1.5月",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert list(worded_dates(text)) == []


def test_a_date_is_found_by_what_it_says_and_implies_its_parts() -> None:
    assert DAY.terms == ("7月", "2023-07", "07-01", "2023-07-01")
    assert DAY.implied == {*DAY.terms, "2023", "1"}
    assert Date(None, 7, 1).implied == {"7月", "07-01", "1"}


def test_years_in_characters() -> None:
    assert years_in_characters("一九九八年到二〇二三年") == ["1998", "2023"]
