"""Reads PDF files with PDFium.

Knows PDFium's interface. Where on the page its lines stand is asked by `ingest.formats.pdf.char_boxes`.
"""

import contextlib
import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ingest.formats.encoding import clean
from ingest.formats.pdf.annotations import Annotations
from ingest.formats.pdf.char_boxes import CharBoxes, with_fields_below
from ingest.formats.pdf.page_fields import Field
from ingest.formats.pdf.page_layout import PageText
from ingest.formats.pdf.page_notes import written
from ingest.formats.pdf.pypdf_reader import (
    MAX_EMBEDDED_FILES,
    MAX_OUTLINE_DEPTH,
    MAX_OUTLINE_ENTRIES,
    EncryptedFile,
    Metadata,
    one_line,
)
from ingest.formats.pdf.sections import OutlineEntry
from kb.errors import UnreadableFile

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

_DATE = re.compile(r"(?:D:)?(\d{4})(?:(\d{2})(?:(\d{2}))?)?")
_MIN_WITHIN = 0.95
_PICTURE_SHARE = 0.25


class PdfiumReader:
    """Reads with PDFium: more than ten times as fast, and it knows more fonts; but a crash in it ends the process.

    Raises:
        UnreadableFile: The file is encrypted, or PDFium cannot open it.
    """

    def __init__(self, data: bytes) -> None:
        import pypdfium2

        self._failures: tuple[type[Exception], ...] = (pypdfium2.PdfiumError, ValueError)
        try:
            self._file = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise EncryptedFile from error
            raise UnreadableFile(f"broken: {one_line(error)}") from error
        with contextlib.suppress(*self._failures):
            self._file.init_forms()
        self.page_count = len(self._file)

    def page_text(self, page: int) -> PageText:
        """The text of a page, paragraphs apart and columns in order, empty where PDFium fails on it."""
        with (
            contextlib.suppress(*self._failures),
            contextlib.closing(self._file[page - 1]) as opened,
            contextlib.closing(opened.get_textpage()) as text_page,
        ):
            annotations = Annotations(self._file, opened)
            if not annotations.count:
                return _text_of(text_page, ())
            text = _text_of(text_page, list(annotations.fields()))
            return replace(text, notes=tuple(map(written, annotations.notes(text_page))))
        return PageText("")

    def is_blank(self, page: int) -> bool:
        """Whether there is no object on a page; one that cannot be looked at may have some."""
        with contextlib.suppress(*self._failures), contextlib.closing(self._file[page - 1]) as opened:
            return next(opened.get_objects(), None) is None
        return False

    def has_picture(self, page: int) -> bool:
        """Whether a picture takes a quarter of a page, or more."""
        import pypdfium2.raw

        with contextlib.suppress(*self._failures), contextlib.closing(self._file[page - 1]) as opened:
            pictures = [each.get_bounds() for each in opened.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])]
            area = opened.get_width() * opened.get_height()
            return any(
                (right - left) * (top - bottom) >= _PICTURE_SHARE * area for left, bottom, right, top in pictures
            )
        return False

    def outline(self) -> list[OutlineEntry]:
        """The table of contents, without entries that lead nowhere."""
        with contextlib.suppress(*self._failures):
            return list(islice(self._entries(), MAX_OUTLINE_ENTRIES))
        return []

    def page_labels(self) -> tuple[str, ...]:
        """What is printed on each page in the place of its number."""
        with contextlib.suppress(*self._failures):
            return tuple(clean(self._file.get_page_label(page)) for page in range(self.page_count))
        return ()

    def embedded_files(self) -> list[str]:
        """The names of the files that lie in this one."""
        with contextlib.suppress(*self._failures):
            count = min(self._file.count_attachments(), MAX_EMBEDDED_FILES)
            return [name for n in range(count) if (name := clean(self._file.get_attachment(n).get_name()))]
        return []

    def metadata(self) -> Metadata:
        """Title and date from the information dictionary."""
        title, created = "", None
        with contextlib.suppress(*self._failures):
            title = clean(self._file.get_metadata_value("Title"))
        with contextlib.suppress(*self._failures):
            if written := _DATE.match(self._file.get_metadata_value("CreationDate")):
                year, month, day = map(int, written.groups("1"))
                created = datetime.datetime(year, month, day)
        return Metadata(title, created)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _entries(self) -> Iterator[OutlineEntry]:
        for bookmark in self._file.get_toc(max_depth=MAX_OUTLINE_DEPTH):
            destination = bookmark.get_dest()
            page = destination.get_index() if destination else None
            if page is not None:
                yield OutlineEntry(bookmark.level, clean(bookmark.get_title()), page + 1)


def _text_of(text_page: "PdfTextPage", fields: Sequence[Field]) -> PageText:
    within, everything = text_page.get_text_bounded(errors="replace"), text_page.get_text_range(errors="replace")
    count = text_page.count_chars()
    is_whole = len("".join(within.split())) > _MIN_WITHIN * len("".join(everything.split()))
    for text in (within, everything):
        if len(text) == count and is_whole:
            return CharBoxes(text_page, text).page_text(fields)
    # Something is cut off or left out: the places of the characters are unknown. Where the page box is broken,
    # nothing lies within it.
    return with_fields_below(PageText(within or everything), fields)
