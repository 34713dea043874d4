import pytest

from ingest.formats.tables import header_line_count, is_row, table_spans


@pytest.mark.parametrize(
    "line",
    [
        "Services 19,604 17,486",
        "Products $ 60,584 $ 63,355",
        "Mac 7,382 8,235 (10)% 28,669",
        "Repayments of long-term debt (509) — (589) (1)",
        "仪器与备件 64.5 71.2",
        "Mass with battery 27.8 kg 31.5 kg",
        "Highest wind for work 14 m/s 16 m/s",
        "Lowest working temperature -31 °C -38 °C",
    ],
)
def test_a_line_that_ends_in_figures_is_a_row(line: str) -> None:
    assert is_row(line)


@pytest.mark.parametrize(
    "line",
    [
        "June 25, 2022 June 26, 2021",
        "2022 2021 2022 2021",
        "Net sales:",
        "Item 1. Financial Statements 14",
        "It rose from 5 to 10 m",
        "Note 4 – Debt",
        "the third quarter of fiscal years 2023 and 2022",
        "It grew by 12 % in the year 2022.",
        "",
    ],
)
def test_headers_and_prose_are_no_rows(line: str) -> None:
    assert not is_row(line)


def test_a_table_in_a_paragraph_is_found_with_its_header_but_without_the_prose_around_it() -> None:
    lines = [
        "Net sales were as follows:",
        "Three Months Ended",
        "2022 2021",
        "Net sales:",
        "Products 63,355 63,948",
        "Services, which are",
        "counted apart 19,604 17,486",
        "They rose again.",
    ]
    assert list(table_spans(lines)) == [(1, 7)]


def test_two_tables_with_much_text_between_are_two() -> None:
    rows = ["a 1 2", "b 3 4"]
    text = ["It is said.", "It is said again.", "And again.", "Once more."]
    assert list(table_spans([*rows, *text, *rows])) == [(0, 2), (6, 8)]


def test_one_row_alone_is_no_table() -> None:
    assert list(table_spans(["Some prose", "ends in 12 13", "and goes on here"])) == []


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["| a | b |", "|---|:-:|", "| 1 | 2 |"], 2),
        (["Three Months Ended", "2022 2021", "Net sales:", "Products 1 2"], 2),
        (["Products 1 2", "Services 3 4"], 0),
        (["Assets:", "Cash 3 4"], 0),
    ],
)
def test_the_header_is_what_stands_above_the_first_row_or_label(lines: list[str], count: int) -> None:
    assert header_line_count(lines) == count
