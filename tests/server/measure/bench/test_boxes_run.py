from pathlib import Path

import pytest
from fpdf import FPDF

from kb.errors import InvalidRequest
from server.measure.bench.boxes_run import COVERED, measure_boxes

SEEN = "The boiler of the guest house was repaired by Frieda in November."
HIDDEN = "Nobody can see where on the page this white sentence is written."


def test_a_quote_is_covered_where_its_words_are_seen_in_its_boxes(tmp_path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(60, 6, f"{SEEN}\n\n")
    pdf.set_text_color(255, 255, 255)
    pdf.multi_cell(60, 6, HIDDEN)
    pdf.output(str(tmp_path / "a.pdf"))
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7 broken")
    found = {each.quote.text.replace("\n", " "): each for each in measure_boxes(list(tmp_path.iterdir()), 9)}
    assert found[SEEN].share >= COVERED
    assert found[HIDDEN].share < COVERED
    assert len(found) == 2


def test_files_without_sentences_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="no PDF file with sentences"):
        list(measure_boxes([], 9))
