from pathlib import Path

import pytest
from fpdf import FPDF

from ingest.formats.pdf.overprint import said_once
from tests.ingest.formats.pdf.made_pdfs import LOREM, load, write

TITLE = "Statement of Accounts 2024"
SHIFT = 0.3 * 25.4 / 72  # 0.3 points in millimetres


def line_by_line(pdf: FPDF) -> None:
    for x in (20, 20 + SHIFT):
        pdf.text(x, 20, TITLE)


def glyph_by_glyph(pdf: FPDF) -> None:
    x = 20.0
    for char in TITLE:
        pdf.text(x, 20, char)
        pdf.text(x + SHIFT, 20, char)
        x += pdf.get_string_width(char)


def page_by_page(pdf: FPDF) -> None:
    for x in (20, 20 + SHIFT):
        for n, line in enumerate((TITLE, "Assets", "Liabilities", "Equity and all the rest that is left")):
            pdf.text(x, 20 + 8 * n, line)


@pytest.mark.parametrize("draw", [line_by_line, glyph_by_glyph, page_by_page])
def test_what_is_drawn_twice_to_be_bold_is_read_once(tmp_path: Path, draw: object) -> None:
    assert callable(draw)

    def page(pdf: FPDF) -> None:
        draw(pdf)
        pdf.text(20, 100, LOREM)

    text = load(write(tmp_path / "a.pdf", [page])).text
    assert text.count(TITLE) == 1
    assert text.count(LOREM) == 1
    assert len(text.split()) <= len(f"{TITLE} Assets Liabilities Equity and all the rest that is left {LOREM}".split())


@pytest.mark.parametrize(
    ("line", "once"),
    [
        ("Accounts 2024Accounts 2024", "Accounts 2024"),
        ("Accounts 2024 Accounts 2024", "Accounts 2024"),
        ("年度报告摘要年度报告摘要", "年度报告摘要"),
        ("AAccccoouunnttss", "Accounts"),
        ("1,000 1,000", "1,000 1,000"),
        ("bonbon", "bonbon"),
        ("a bookkeeper", "a bookkeeper"),
        ("", ""),
    ],
)
def test_where_no_places_are_known_the_text_tells(line: str, once: str) -> None:
    assert said_once(f"before\n{line}") == f"before\n{once}"
