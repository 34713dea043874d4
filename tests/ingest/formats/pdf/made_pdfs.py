"""PDF files that the tests make themselves: drawn by a library, or written object by object."""

import datetime
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from fpdf import FPDF

from ingest.formats.pdf.loader import PdfLoader
from kb.values.documents import Document

LOREM = "Trains leave the northern station every morning at eight."


def write(path: Path, pages: Sequence[Callable[[FPDF], None] | str], **metadata: str) -> Path:
    """Writes a PDF; a page is its text, or draws itself."""
    pdf = FPDF()
    pdf.set_creation_date(datetime.datetime(2023, 4, 5, tzinfo=datetime.UTC))
    if title := metadata.get("title"):
        pdf.set_title(title)
    for page in pages:
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        if isinstance(page, str):
            pdf.multi_cell(0, 6, page)
        else:
            page(pdf)
    pdf.output(str(path))
    return path


def hand_made(path: Path, content: bytes, font: str) -> Path:
    """Writes a PDF of one page whose font, object 5, is given in PDF syntax."""
    packed = zlib.compress(content)
    return of_objects(
        path,
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
        font.encode(),
    )


def of_objects(path: Path, *objects: bytes) -> Path:
    """Writes a PDF of objects in PDF syntax, numbered from 1; the first is the catalog."""
    body = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        *(size, table, size),
        len(body),
    )
    path.write_bytes(body)
    return path


def chinese_font(encoding: str, ordering: str = "GB1") -> str:
    return (
        f"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/{encoding}/DescendantFonts["
        f"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo"
        f"<</Registry(Adobe)/Ordering({ordering})/Supplement 2>>>>]>>"
    )


def load(path: Path) -> Document:
    return PdfLoader().load(path.name, path.read_bytes())
