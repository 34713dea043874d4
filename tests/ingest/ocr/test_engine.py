"""The real recogniser on pictures of a line or two: which takes seconds, also where the machine is busy."""

import numpy as np
import pytest

from ingest.formats.image import ImagePages
from ingest.formats.pdf.page_view import PdfPages
from ingest.ocr.engine import Recogniser
from kb.errors import UnreadableFile
from kb.values.scans import ScannedPage
from tests.ingest.pictures import drawn, scanned_pdf

TEXT = "The boiler was repaired\nin November 2024"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.mark.parametrize("angle", [0.0, 2.0])
def test_what_stands_in_a_picture_is_read_with_the_places_of_its_words(recogniser: Recogniser, angle: float) -> None:
    page = recogniser.scan(ImagePages(drawn(TEXT, angle=angle)), 1)
    assert page.text == TEXT
    assert [word.text for word in page.words] == TEXT.split()
    assert all(0 < word.right - word.left < 0.4 and 0 < word.bottom - word.top < 0.4 for word in page.words)


def test_a_page_of_a_pdf_is_read_as_it_is_drawn(recogniser: Recogniser) -> None:
    assert recogniser.scan(PdfPages(scanned_pdf("text", f"scan:{TEXT}")), 2).text == TEXT


def test_an_empty_picture_has_no_text_and_a_missing_page_is_an_error(recogniser: Recogniser) -> None:
    assert recogniser.read(np.full((80, 200, 3), 255, np.uint8)) == ScannedPage()
    with pytest.raises(UnreadableFile):
        recogniser.scan(ImagePages(drawn("one")), 2)
