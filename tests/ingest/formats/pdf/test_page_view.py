"""What PDFium draws is the judge: the places that are told must be where the picture is dark."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from ingest.formats.page_view import MAX_PICTURE_SIDE_PIXELS, Box, Glyphs
from ingest.formats.pdf.page_view import PdfPages
from ingest.pages.places import boxes_of
from kb.errors import UnreadableFile
from tests.ingest.formats.pdf.made_pdfs import LOREM, of_objects, write
from tests.ingest.formats.pdf.test_annotations import form

WIDTH_PIXELS = 1200


def turned(path: Path, page: bytes, content: bytes = b"BT /F 30 Tf 120 520 Td (Otters) Tj ET") -> Path:
    return of_objects(
        path,
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>%s>>" % page,
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[PdfPages]:
    with closing(PdfPages(write(tmp_path / "a.pdf", [LOREM, LOREM]).read_bytes())) as pages:
        yield pages


def dark(jpeg: bytes, glyphs: Glyphs) -> Box:
    """The box around all that is drawn, in the units of the glyphs."""
    image = Image.open(io.BytesIO(jpeg)).convert("L").point(lambda value: 255 if value < 128 else 0)
    box = image.getbbox()
    assert box
    scale = glyphs.width / image.width
    left, top, right, bottom = (round(side * scale) for side in box)
    return left, top, right, bottom


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"/Rotate 90",
        b"/Rotate 180",
        b"/Rotate 270",
        b"/CropBox[100 400 500 700]",
        b"/Rotate 90/CropBox[50 450 400 650]",
    ],
)
@pytest.mark.parametrize("matrix", [b"", b"0 1 -1 0 300 500"], ids=["level", "upright"])
def test_characters_stand_where_the_picture_is_dark(tmp_path: Path, page: bytes, matrix: bytes) -> None:
    content = b"BT /F 30 Tf %s (Otters) Tj ET" % (b"%s Tm" % matrix if matrix else b"120 520 Td")
    with closing(PdfPages(turned(tmp_path / "a.pdf", page, content).read_bytes())) as pages:
        glyphs = pages.glyphs(1)
        assert glyphs.text[: len("Otters")] == "Otters"
        (box,) = boxes_of(range(len("Otters")), glyphs)
        drawn = dark(pages.picture(1, WIDTH_PIXELS), glyphs)
    slack = 150
    assert all(box[side] <= drawn[side] + slack for side in (0, 1))
    assert all(box[side] >= drawn[side] - slack for side in (2, 3))
    assert (box[2] - box[0]) * (box[3] - box[1]) < 3 * (drawn[2] - drawn[0]) * (drawn[3] - drawn[1])


def test_sizes_are_those_of_pages_as_they_are_turned(tmp_path: Path) -> None:
    with closing(PdfPages(turned(tmp_path / "a.pdf", b"/Rotate 90").read_bytes())) as pages:
        assert pages.sizes() == [(80_000, 60_000)]
        image = Image.open(io.BytesIO(pages.picture(1, 400)))
        assert (image.format, image.size) == ("JPEG", (400, 300))


def test_a_page_that_is_longer_than_wide_by_far_is_drawn_small(tmp_path: Path) -> None:
    content = b"BT /F 30 Tf 1 1 Td (Otters) Tj ET"
    path = turned(tmp_path / "a.pdf", b"/MediaBox[0 0 10 10000]", content)
    path.write_bytes(path.read_bytes().replace(b"/MediaBox[0 0 600 800]", b""))
    with closing(PdfPages(path.read_bytes())) as pages:
        width, height = Image.open(io.BytesIO(pages.picture(1, 3000))).size
        assert 0 < width < height <= MAX_PICTURE_SIDE_PIXELS


def test_values_of_fields_and_notes_have_the_place_of_their_box(tmp_path: Path) -> None:
    path = form(
        tmp_path / "a.pdf",
        (b"150 695 300 715", b"/FT/Tx/T(name)/V(Jane Doe)"),
        content=b"BT /F 12 Tf 50 700 Td (Name:) Tj ET",
    )
    with closing(PdfPages(path.read_bytes())) as pages:
        glyphs = pages.glyphs(1)
    at = glyphs.text.index("Jane Doe")
    assert at >= glyphs.printed
    assert boxes_of(range(at, at + 8), glyphs) == [(15_000, 8_500, 30_000, 10_500)]


def test_a_page_that_is_not_there_and_a_file_that_is_none_are_told(opened: PdfPages) -> None:
    assert len(opened.sizes()) == 2
    for page in (0, 3, -1):
        with pytest.raises(UnreadableFile, match="no page"):
            opened.picture(page, 100)
    with pytest.raises(UnreadableFile, match="cannot be drawn"):
        PdfPages(b"%PDF-1.7\nnothing")
