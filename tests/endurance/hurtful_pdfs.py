"""PDFs that were made to hurt, and files that are no PDFs but say so; the same bytes at each run."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pypdf import PdfWriter

from tests.endurance.hostile import (
    stream,
    write_bomb,
    write_endless_forms,
    write_endless_page_tree,
    write_pdf,
    zeros_packed,
)

_BOMB_BYTES = 1_008_000_000  # of zeros, a multiple of 16 million
_PAGES = 100_000
_DICE_SEED = 60


def _page(contents: int, resources: bytes = b"") -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << %b >> >>" % (
        contents,
        resources,
    )


def _one_page(resources: bytes, *others: bytes) -> list[bytes]:
    """Objects of a PDF with one page, which shows what the fourth of them, the first of the others, says."""
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return [b"<< /Type /Catalog /Pages 2 0 R >>", pages, _page(4, resources), *others]


def _noise(count: int) -> bytes:
    return random.Random(_DICE_SEED).randbytes(count)


def _pdf(objects: Sequence[bytes]) -> Callable[[Path], object]:
    return lambda path: write_pdf(path, objects)


def _write_flate_bomb(path: Path) -> None:
    write_pdf(path, _one_page(b"", stream(zeros_packed(_BOMB_BYTES), b"/Filter /FlateDecode")))


def _write_text_bomb(path: Path) -> None:
    """Words, not zeros: 60 MB of them that are shown, from 300 KB."""
    content = b"BT /F1 12 Tf 72 700 Td " + b"(The dome is green.) Tj 0 -1 Td " * 1_900_000 + b"ET"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    write_pdf(path, _one_page(b"/Font << /F1 5 0 R >>", stream(zlib.compress(content), b"/Filter /FlateDecode"), font))


def _write_object_stream(path: Path) -> None:
    """The catalog stands in a stream of objects that says to hold a million, and unpacks to half a gigabyte."""
    objects = b"1 0 << /Type /Catalog /Pages 9 0 R >>".ljust(16_000_000)
    packed = zlib.compress(objects * 30)
    body = b"%%PDF-1.7\n2 0 obj\n%b\nendobj\n" % stream(
        packed, b"/Type /ObjStm /N 1000000 /First 4 /Filter /FlateDecode"
    )
    rows = b"\0\0\0\0\0\xff" + b"\2\0\0\0\2\0" + b"\1\0\0\0\x09\0"
    table = stream(rows, b"/Type /XRef /Size 3 /W [1 4 1] /Root 1 0 R")
    path.write_bytes(body + b"3 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(body)))


def _write_endless_tables(path: Path) -> None:
    """Its table of objects names itself as the one before."""
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    table = b"xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \n"
    trailer = b"trailer\n<< /Size 2 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (len(body), len(body))
    path.write_bytes(body + table + trailer)


def _write_many_pages(path: Path) -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + _PAGES))
    write_pdf(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, _PAGES),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            stream(b"BT /F1 12 Tf 72 700 Td (The dome is on each of the pages.) Tj ET"),
            *[_page(4, b"/Font << /F1 3 0 R >>")] * _PAGES,
        ],
    )


def _write_forms_of_forms(path: Path) -> None:
    """A form that draws another ten times, which does so too, and so on: a thousand million drawings."""
    depth = 9
    head = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
    forms = [
        stream(b"/X Do " * 10, b"%b /Resources << /XObject << /X %d 0 R >> >>" % (head, 6 + n)) for n in range(depth)
    ]
    write_pdf(path, _one_page(b"/XObject << /X 5 0 R >>", stream(b"/X Do"), *forms, stream(b"0 0 9 9 re f", head)))


def _image(kind: bytes) -> list[bytes]:
    entries = b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 1 /ColorSpace /DeviceGray"
    return _one_page(
        b"/XObject << /X 5 0 R >>", stream(b"/X Do"), stream(_noise(200_000), b"%b /Filter /%b" % (entries, kind))
    )


def _fonts() -> list[bytes]:
    """A font whose table of characters, and whose outlines, are noise, and which maps millions of codes."""
    ranges = b"100 beginbfrange\n" + b"<0000> <FFFF> <0000>\n" * 100 + b"endbfrange\n"
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Noise /Encoding /Identity-H"
        b" /ToUnicode 6 0 R /DescendantFonts [7 0 R] >>"
    )
    child = b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Noise /FontDescriptor 8 0 R >>"
    text = stream(b"BT /F1 12 Tf 72 700 Td <" + _noise(50_000).hex().encode() + b"> Tj ET")
    descriptor = b"<< /Type /FontDescriptor /FontName /Noise /FontFile2 9 0 R >>"
    others = (font, stream(ranges * 30), child, descriptor, stream(_noise(500_000)))
    return _one_page(b"/Font << /F1 5 0 R >>", text, *others)


def _write_encrypted(path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(612, 792)
    writer.encrypt("dome", algorithm="RC4-128")
    writer.write(path)


def _write_truncated(path: Path) -> None:
    write_pdf(path, _fonts())
    path.write_bytes(path.read_bytes()[:300_000])


def _write_zip(path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("zeros"), bytes(16_000_000), zipfile.ZIP_DEFLATED)
    path.write_bytes(packed.getvalue())


PDFS: dict[str, Callable[[Path], object]] = {
    "flate-bomb.pdf": _write_flate_bomb,
    "double-bomb.pdf": lambda path: write_bomb(path, _BOMB_BYTES),
    "text-bomb.pdf": _write_text_bomb,
    "object-stream.pdf": _write_object_stream,
    "endless-tables.pdf": _write_endless_tables,
    "endless-pages.pdf": write_endless_page_tree,
    "many-pages.pdf": _write_many_pages,
    "endless-forms.pdf": write_endless_forms,
    "forms-of-forms.pdf": _write_forms_of_forms,
    "jbig2.pdf": _pdf(_image(b"JBIG2Decode")),
    "lzw.pdf": _pdf(_one_page(b"", stream(_noise(2_000_000), b"/Filter /LZWDecode"))),
    "fonts.pdf": _pdf(_fonts()),
    "encrypted.pdf": _write_encrypted,
    "truncated.pdf": _write_truncated,
    "no-pages.pdf": _pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]),
    "elf.pdf": lambda path: path.write_bytes(b"\x7fELF\2\1\1" + bytes(9) + _noise(50_000)),
    "zip.md": _write_zip,
    "page.pdf": lambda path: path.write_text("<html><body>A dome</body></html>"),
}
"""Makes each of them at a path of this name."""
