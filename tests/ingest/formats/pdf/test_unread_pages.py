import zlib
from pathlib import Path

from fpdf import FPDF

from tests.ingest.formats.pdf.made_pdfs import LOREM, load, of_objects, write


def scan(pdf: FPDF) -> None:
    """A page that is one picture."""
    pdf.image(picture(), 0, 0, 210, 297)


def picture() -> bytes:
    from io import BytesIO

    from PIL import Image

    content = BytesIO()
    Image.new("L", (60, 80), 128).save(content, "PNG")
    return content.getvalue()


def test_a_scan_among_pages_with_text_is_named_and_the_others_answer(tmp_path: Path) -> None:
    document = load(write(tmp_path / "a.pdf", [LOREM, scan, "The last page."]))
    assert (document.page_count, document.unread_pages) == (3, (2,))
    assert [block.page for block in document.blocks] == [1, 3]


def test_a_page_on_which_nothing_stands_is_not_missed(tmp_path: Path) -> None:
    document = load(write(tmp_path / "a.pdf", [LOREM, lambda pdf: None, "The last page."]))
    assert document.unread_pages == ()


def test_a_scan_with_a_running_head_is_a_scan(tmp_path: Path) -> None:
    def stamped(pdf: FPDF) -> None:
        scan(pdf)
        pdf.text(20, 10, "Scanned by ACME")

    def empty(pdf: FPDF) -> None:
        pdf.text(20, 10, "Scanned by ACME")

    pages = [f"Scanned by ACME\n\nAbout item {n}." for n in range(4)]
    document = load(write(tmp_path / "a.pdf", [*pages, stamped, empty]))
    assert document.unread_pages == (5,)


def test_a_page_whose_fonts_mean_nothing_is_named_and_left_out(tmp_path: Path) -> None:
    names = b" ".join(b"/g%d" % n for n in range(1, 60))
    contents = [
        zlib.compress(content)
        for content in (
            b"BT /F 12 Tf 50 700 Td (%s) Tj ET" % LOREM.encode(),
            b"BT /G 12 Tf 50 700 Td <%s> Tj ET" % bytes(range(1, 60)).hex().encode(),
        )
    ]
    resources = b"/Resources<</Font<</F 7 0 R/G 8 0 R>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 R" + resources + b">>"
    path = of_objects(
        tmp_path / "a.pdf",
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
        page % 5,
        page % 6,
        *(b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(each), each) for each in contents),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/X/Encoding<</Differences[1 %s]>>>>" % names,
    )
    document = load(path)
    assert document.unread_pages == (2,)
    assert document.text.strip() == LOREM
