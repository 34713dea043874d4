"""The pages of a PDF as they are seen, drawn by PDFium, and the places of their characters.

Knows PDFium's interface. Fields are drawn with their values; nothing in the file runs.
"""

import contextlib
import io
import math
from collections.abc import Iterator
from ctypes import c_double, c_int
from typing import TYPE_CHECKING, Any

from ingest.formats.encoding import clean
from ingest.formats.page_view import (
    MAX_GLYPHS,
    MAX_PAGES,
    MAX_PICTURE_PIXELS,
    MAX_PICTURE_SIDE_PIXELS,
    UNITS_PER_POINT,
    Box,
    Glyphs,
)
from ingest.formats.pdf.annotations import Annotations
from ingest.formats.pdf.page_notes import written
from kb.errors import UnreadableFile

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_JPEG_QUALITY = 90
_FINE = 1_000_000  # steps along each side of the page, in which PDFium tells where a point is shown
_NOWHERE: Box = (0, 0, 0, 0)


class PdfPages:
    """The pages of one PDF file.

    Raises:
        UnreadableFile: It cannot be opened.
    """

    def __init__(self, data: bytes) -> None:
        import pypdfium2

        self._raw: Any = pypdfium2.raw
        self._failure = pypdfium2.PdfiumError
        try:
            self._file = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise UnreadableFile("its pages cannot be drawn", "open the original file") from error
        with contextlib.suppress(pypdfium2.PdfiumError):
            self._file.init_forms()

    def sizes(self) -> list[tuple[int, int]]:
        """See `PagedFile`."""
        return [_units(*self._file.get_page_size(n)) for n in range(min(len(self._file), MAX_PAGES))]

    def picture(self, page: int, width_pixels: int) -> bytes:
        """See `PagedFile`."""
        with self._opened(page) as opened:
            width, height = opened.get_size()
            scales = width_pixels / width, math.sqrt(MAX_PICTURE_PIXELS / (width * height))
            image = (
                opened.render(scale=min(*scales, MAX_PICTURE_SIDE_PIXELS / max(width, height) * 0.999))
                .to_pil()
                .convert("RGB")
            )
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        return encoded.getvalue()

    def glyphs(self, page: int) -> Glyphs:
        """See `PagedFile`."""
        with self._opened(page) as opened, contextlib.closing(opened.get_textpage()) as text_page:
            shown = _Shown(self._raw, opened)
            found = list(self._printed(text_page.raw, shown))
            printed = len(found)
            annotations = Annotations(self._file, opened)
            for field in annotations.fields():
                found += _stretch(field.text, shown.box(field.left, field.bottom, field.right, field.top))
            for note in annotations.notes(text_page):
                found += _stretch(written(note), shown.box(*note.box))
            text = "".join(char for char, _ in found)
            return Glyphs(*_units(*opened.get_size()), text, tuple(box for _, box in found), printed)

    def close(self) -> None:
        """See `PagedFile`."""
        self._file.close()

    @contextlib.contextmanager
    def _opened(self, page: int) -> Iterator["PdfPage"]:
        if not 1 <= page <= len(self._file):
            raise UnreadableFile(f"the file has no page {page} now", "it is read anew at the next sync")
        try:
            with contextlib.closing(self._file[page - 1]) as opened:
                yield opened
        except (self._failure, ValueError) as error:
            raise UnreadableFile(f"page {page} cannot be drawn", "open the original file") from error

    def _printed(self, text_page: Any, shown: "_Shown") -> Iterator[tuple[str, Box]]:
        raw, rect = self._raw, self._raw.FS_RECTF()
        for place in range(min(raw.FPDFText_CountChars(text_page), MAX_GLYPHS)):
            char = _character(raw.FPDFText_GetUnicode(text_page, place))
            has_box = not char.isspace() and raw.FPDFText_GetLooseCharBox(text_page, place, rect)
            yield char, shown.box(rect.left, rect.bottom, rect.right, rect.top) if has_box else _NOWHERE


class _Shown:
    """Where a point of a page is on the page as it is shown: an affine map, of which PDFium tells three points."""

    def __init__(self, raw: Any, page: "PdfPage") -> None:
        width, height = _units(*page.get_size())
        span = 1000.0
        (x0, y0), (x1, y1), (x2, y2) = (_device(raw, page, *point) for point in ((0, 0), (span, 0), (0, span)))
        across, down = width / _FINE, height / _FINE
        self._x = (x0 * across, (x1 - x0) / span * across, (x2 - x0) / span * across)
        self._y = (y0 * down, (y1 - y0) / span * down, (y2 - y0) / span * down)
        self._limits = (width, height)

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """The box of the page's own coordinates as it is shown, cut to the page."""
        xs = [self._x[0] + self._x[1] * x + self._x[2] * y for x, y in ((left, bottom), (right, top))]
        ys = [self._y[0] + self._y[1] * x + self._y[2] * y for x, y in ((left, bottom), (right, top))]
        if not all(map(math.isfinite, (*xs, *ys))):
            return _NOWHERE
        width, height = self._limits
        return _within(min(xs), width), _within(min(ys), height), _within(max(xs), width), _within(max(ys), height)


def _within(value: float, limit: int) -> int:
    return round(min(max(value, 0), limit))


def _device(raw: Any, page: "PdfPage", x: float, y: float) -> tuple[int, int]:
    across, down = c_int(), c_int()
    raw.FPDF_PageToDevice(page, 0, 0, _FINE, _FINE, 0, c_double(x), c_double(y), across, down)
    return across.value, down.value


def _units(width: float, height: float) -> tuple[int, int]:
    return max(1, round(width * UNITS_PER_POINT)), max(1, round(height * UNITS_PER_POINT))


def _character(code: int) -> str:
    if code in (0x02, 0xFFFE):  # how PDFium writes a hyphen at the end of a line
        return "-"
    return clean(chr(code)) if 0 < code <= 0x10FFFF else "\ufffd"


def _stretch(text: str, box: Box) -> list[tuple[str, Box]]:
    return [("\n", _NOWHERE), *((char, box) for char in text)]
