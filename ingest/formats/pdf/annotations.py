"""What lies on a page of a PDF beside its text: the values of form fields, and what readers have noted.

Knows PDFium's interface. Hidden annotations and passwords are passed over. How a note is written as text stands in
`ingest.formats.pdf.page_notes`, where a value goes in `ingest.formats.pdf.page_fields`.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ingest.formats.encoding import clean
from ingest.formats.pdf.page_fields import Field
from ingest.formats.pdf.page_notes import Note

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

MAX_ANNOTATIONS = 2_000
"""Of a page; what comes after so many is passed over."""

_CHECKED = "☑"
_PASSWORD_FLAG = 1 << 13
_MAX_QUOTED_QUADS = 40


class Annotations:
    """The annotations of one page.

    Args:
        file: Its forms are initialised.
        page: Of that file.
    """

    def __init__(self, file: "PdfDocument", page: "PdfPage") -> None:
        import pypdfium2.raw

        self._raw: Any = pypdfium2.raw
        self._form = file.formenv
        self._page = page
        self.count = min(self._raw.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)

    def fields(self) -> Iterator[Field]:
        """The fields of the form that are filled in; those that can be checked, if they are."""
        for annotation, kind in self._shown():
            if kind == self._raw.FPDF_ANNOT_WIDGET and self._form and (value := self._value(annotation)):
                yield Field(self._name(annotation), value, value == _CHECKED, *self._box(annotation))

    def notes(self, text_page: "PdfTextPage") -> Iterator[Note]:
        """What readers have written, with the words that they have marked."""
        passed_over = {self._raw.FPDF_ANNOT_WIDGET, self._raw.FPDF_ANNOT_LINK, self._raw.FPDF_ANNOT_POPUP}
        for annotation, kind in self._shown():
            if kind not in passed_over and (text := self._entry(annotation, b"Contents")):
                marked = self._marked(annotation, text_page)
                yield Note(self._entry(annotation, b"T"), text, marked, self._box(annotation))

    def _shown(self) -> Iterator[tuple[Any, int]]:
        hidden = self._raw.FPDF_ANNOT_FLAG_HIDDEN | self._raw.FPDF_ANNOT_FLAG_NOVIEW
        for place in range(self.count):
            with self._opened(place) as annotation:
                if annotation and not self._raw.FPDFAnnot_GetFlags(annotation) & hidden:
                    yield annotation, self._raw.FPDFAnnot_GetSubtype(annotation)

    @contextmanager
    def _opened(self, place: int) -> Iterator[Any]:
        annotation = self._raw.FPDFPage_GetAnnot(self._page, place)
        try:
            yield annotation
        finally:
            if annotation:
                self._raw.FPDFPage_CloseAnnot(annotation)

    def _value(self, annotation: Any) -> str:
        raw = self._raw
        kind = raw.FPDFAnnot_GetFormFieldType(self._form, annotation)
        if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
            return _CHECKED if raw.FPDFAnnot_IsChecked(self._form, annotation) else ""
        if kind not in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
            return ""
        if raw.FPDFAnnot_GetFormFieldFlags(self._form, annotation) & _PASSWORD_FLAG:
            return ""
        return _read(raw.FPDFAnnot_GetFormFieldValue, self._form, annotation)

    def _box(self, annotation: Any) -> tuple[float, float, float, float]:
        box = self._raw.FS_RECTF()
        self._raw.FPDFAnnot_GetRect(annotation, box)
        return box.left, box.bottom, box.right, box.top

    def _name(self, annotation: Any) -> str:
        return _read(self._raw.FPDFAnnot_GetFormFieldAlternateName, self._form, annotation) or _read(
            self._raw.FPDFAnnot_GetFormFieldName, self._form, annotation
        )

    def _entry(self, annotation: Any, key: bytes) -> str:
        return _read(self._raw.FPDFAnnot_GetStringValue, annotation, key)

    def _marked(self, annotation: Any, text_page: "PdfTextPage") -> str:
        corners, words = self._raw.FS_QUADPOINTSF(), []
        for number in range(min(self._raw.FPDFAnnot_CountAttachmentPoints(annotation), _MAX_QUOTED_QUADS)):
            if self._raw.FPDFAnnot_GetAttachmentPoints(annotation, number, corners):
                across = (corners.x1, corners.x2, corners.x3, corners.x4)
                up = (corners.y1, corners.y2, corners.y3, corners.y4)
                words.append(text_page.get_text_bounded(min(across), min(up), max(across), max(up), errors="replace"))
        return " ".join(" ".join(words).split())


def _read(function: Callable[..., int], *arguments: object) -> str:
    """Calls what writes UTF-16 into a buffer and tells how many bytes that takes; white space becomes one space."""
    size = function(*arguments, None, 0)
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return " ".join(clean(buffer.raw[: max(size - 2, 0)].decode("utf-16-le", "replace")).split())
