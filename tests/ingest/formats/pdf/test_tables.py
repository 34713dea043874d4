"""Tables as they are drawn: each figure can be told by the name of its row and of its column."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fpdf import FPDF

from ingest.chunking.chunker import chunk
from kb.values.documents import BlockKind, Document
from tests.ingest.chunking.made_documents import words
from tests.ingest.formats.pdf.made_pdfs import LOREM, load, write

REPORTS = Path(__file__).parents[4].parent / "shared" / "data" / "sec-10-q"
COLUMNS = (110.0, 135.0, 160.0, 185.0)
"""Where figures end, in millimetres."""


def flush_right(pdf: FPDF, y: float, cells: Sequence[str], columns: Sequence[float] = COLUMNS) -> None:
    for right, cell in zip(columns, cells, strict=True):
        if cell:
            pdf.text(right - pdf.get_string_width(cell), y, cell)


def centred(pdf: FPDF, middle: float, y: float, text: str) -> None:
    pdf.text(middle - pdf.get_string_width(text) / 2, y, text)


def header(pdf: FPDF, y: float, *, ruled: bool = True) -> None:
    """Two periods over two days each, whose names take two lines."""
    for middle, name in ((111, "Three Months Ended"), (161, "Nine Months Ended")):
        centred(pdf, middle, y, name)
        if ruled:
            pdf.line(middle - 24, y + 1, middle + 24, y + 1)
    for middle, day, year in zip((99, 124, 149, 174), ("June 25,", "June 26,") * 2, ("2022", "2021") * 2, strict=True):
        centred(pdf, middle, y + 5, day)
        centred(pdf, middle, y + 9, year)
        if ruled:
            pdf.line(middle - 11, y + 10, middle + 11, y + 10)


WRITTEN = "Three Months Ended: June 25, 2022 | June 26, 2021 ; Nine Months Ended: June 25, 2022 | June 26, 2021"


def table_of(document: Document) -> list[str]:
    (table,) = (block for block in document.blocks if block.kind is BlockKind.TABLE)
    return document.text[table.start : table.end].split("\n")


@pytest.mark.parametrize("ruled", [True, False])
def test_names_of_columns_are_read_column_by_column(tmp_path: Path, ruled: bool) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(9)
        pdf.text(20, 20, "Net sales by category were as follows, in millions:")
        header(pdf, 30, ruled=ruled)
        pdf.text(20, 45, "Net sales:")
        for n, name in enumerate(("Phones", "Tablets", "Total net sales")):
            pdf.text(22, 50 + 5 * n, name)
            flush_right(pdf, 50 + 5 * n, [f"{n + 1},{k}05" for k in range(1, 5)])

    document = load(write(tmp_path / "a.pdf", [draw]))
    assert table_of(document) == [
        WRITTEN,
        "Net sales:",
        "Phones 1,105 1,205 1,305 1,405",
        "Tablets 2,105 2,205 2,305 2,405",
        "Total net sales 3,105 3,205 3,305 3,405",
    ]


def test_a_name_of_several_lines_and_empty_cells_stay_with_their_row(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(9)
        for right, name in zip(COLUMNS, ("Term", "Rate", "2023", "2022"), strict=True):
            pdf.text(right - pdf.get_string_width(name), 25, name)
        rows: list[tuple[float, str, Sequence[str]]] = [
            (31, "Notes due 2026", ("3.1", "3.31%", "1,000", "1,000")),
            (36, "Debt securities issued by the", ("",) * 4),
            (39.5, "government of the north", ("4.9", "1.64%", "1,250", "1,260")),
            (45.5, "Notes due 2040", ("16.7", "3.54%", "2,000", "2,010")),
            (51.5, "Net carrying amount", ("", "", "9,705", "10,953")),
        ]
        for y, name, figures in rows:
            pdf.text(20, y, name)
            flush_right(pdf, y, figures)

    assert table_of(load(write(tmp_path / "a.pdf", [draw]))) == [
        "Term | Rate | 2023 | 2022",
        "Notes due 2026 3.1 3.31% 1,000 1,000",
        "Debt securities issued by the government of the north 4.9 1.64% 1,250 1,260",
        "Notes due 2040 16.7 3.54% 2,000 2,010",
        "Net carrying amount | | | 9,705 | 10,953",
    ]


def test_a_table_that_goes_on_over_pages_is_one(tmp_path: Path) -> None:
    def rows(first: int) -> list[tuple[str, list[str]]]:
        return [(f"Shop number {n}", [f"{n},{k}05" for k in range(1, 5)]) for n in range(first, first + 30)]

    def begins(pdf: FPDF) -> None:
        pdf.set_font_size(9)
        pdf.text(20, 20, "Sales of all shops, in thousands:")
        header(pdf, 30)
        draw_rows(pdf, 46, rows(1))

    def goes_on(pdf: FPDF) -> None:
        pdf.set_font_size(9)
        draw_rows(pdf, 20, rows(31))

    def draw_rows(pdf: FPDF, y: float, table: list[tuple[str, list[str]]]) -> None:
        for n, (name, figures) in enumerate(table):
            pdf.text(20, y + 5 * n, name)
            flush_right(pdf, y + 5 * n, figures)

    def after(pdf: FPDF) -> None:
        pdf.multi_cell(0, 6, f"{LOREM} {LOREM}")

    document = load(write(tmp_path / "a.pdf", [begins, goes_on, after]))
    chunks = [each for each in chunk(document, words) if "Shop number" in each.text]
    assert {each.page for each in chunks} == {1, 2}
    assert all(WRITTEN in f"{each.context}\n{each.text}" for each in chunks)


def test_titles_and_sentences_over_a_table_are_no_names_of_columns(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(9)
        centred(pdf, 105, 20, "CONSOLIDATED STATEMENTS OF THE OPERATIONS OF ALL SHOPS AND OF WHAT ELSE THERE IS")
        pdf.text(20, 25, "The following table shows how many there were in each of two years.")
        flush_right(pdf, 30, ["2023", "2022"], COLUMNS[2:])
        for n, name in enumerate(("Phones", "Tablets")):
            pdf.text(20, 35 + 5 * n, name)
            flush_right(pdf, 35 + 5 * n, [f"{n + 1},105", f"{n + 1},205"], COLUMNS[2:])

    document = load(write(tmp_path / "a.pdf", [draw]))
    assert "2023 | 2022\nPhones 1,105 1,205" in document.text
    assert document.text.count("|") == 1


@pytest.mark.skipif(not REPORTS.is_dir(), reason="the reports are not here")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "2022 Q3 AMZN.pdf",
            "Three Months Ended December 31, 2022 ; Year Ended December 31: 2023 | 2024 | 2025 | 2026 ;"
            " Thereafter | Total\nLong-term debt principal and interest $ 1,886",
        ),
        (
            "2023 Q1 NVDA.pdf",
            "April 30, 2023: Amortized Cost | Unrealized Gain | Unrealized Loss | Estimated Fair Value ;"
            " April 30, 2023 Reported as: Cash Equivalents | Marketable Securities\n",
        ),
        ("2023 Q1 NVDA.pdf", "Debt securities issued by the U.S. Treasury 3,996 2 (31) 3,967 421 3,546"),
        ("2023 Q2 NVDA.pdf", "Net carrying amount | | | 9,705 | 10,953"),
    ],
)
def test_tables_of_real_reports(name: str, text: str) -> None:
    assert text in load(REPORTS / name).text
