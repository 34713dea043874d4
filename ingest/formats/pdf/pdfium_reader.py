"""Reads PDF files with PDFium, and asks it where on the page the lines stand.

Knows PDFium's interface; what places mean is decided by `ingest.formats.pdf.page_layout`. The box of a character
takes a few microseconds: those of the ends of lines are asked for, and others only on pages that may have two
columns.
"""

import contextlib
import ctypes
import datetime
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from statistics import median
from typing import TYPE_CHECKING, Any

from ingest.formats.encoding import clean
from ingest.formats.pdf.annotations import Annotations
from ingest.formats.pdf.page_columns import gutter_between, in_columns
from ingest.formats.pdf.page_fields import Field, with_fields
from ingest.formats.pdf.page_layout import Line, PageText, Style, text_of_lines
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
_LINE = re.compile("[^\r\n\x02\ufffe]*[\x02\ufffe]?")  # PDFium leaves out the line end after a hyphen, and writes it so
_POWER = re.compile(r"(?<!\d)(?P<base>10)[-−–]?\d{1,2}(?!\d)")
_RAISED_HEIGHT, _RAISED_BY = 0.85, 0.1  # a superscript against the figure before it: how high at most, how far up
_MAX_FONT_NAME_BYTES = 128
_MIN_WITHIN = 0.95
_MIN_LINES = 8
_SAMPLED_LINES = 8
_MIN_GAP_SHARE = 0.6
_MIN_GUTTER_POINTS = 7.0  # more than the spaces between words have, even in justified lines
_PICTURE_SHARE = 0.25
_GUTTER_REACH = 0.12  # of the half page to each side of its middle


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
    for text in (within, everything):
        if len(text) == count and len(within) > _MIN_WITHIN * count:
            return _CharBoxes(text_page, text).page_text(fields)
    # Something is cut off or left out: the places of the characters are unknown. Where the page box is broken,
    # nothing lies within it.
    return _with_fields_below(within or everything, fields)


def _with_fields_below(text: str, fields: Sequence[Field]) -> PageText:
    return PageText("\n\n".join(filter(None, [text, "\n".join(field.text for field in fields)])))


class _CharBoxes:
    """The characters of a page: `text[n]` is PDFium's character `n`."""

    def __init__(self, text_page: "PdfTextPage", text: str) -> None:
        import pypdfium2.raw

        self._raw: Any = pypdfium2.raw
        self._page = text_page.raw
        self._text = text
        self._box = pypdfium2.raw.FS_RECTF()
        self._font = ctypes.create_string_buffer(_MAX_FONT_NAME_BYTES)
        self._flags = ctypes.c_int()

    def page_text(self, fields: Sequence[Field]) -> PageText:
        """The text in the order in which it is read, with the values of fields."""
        spans = list(self._line_spans())
        lines = [self._line(start, end) for start, end in spans]
        if 2 * sum(line.right - line.left < line.height for line in lines if len(line.text) > 2) > len(lines):
            return _with_fields_below(self._text, fields)  # written from top to bottom, or turned
        gutter = self._gutter(spans, lines)
        if gutter is not None:
            divided = (self._divided(span, line, gutter) for span, line in zip(spans, lines, strict=True))
            lines = in_columns(list(chain.from_iterable(divided)), gutter) or lines
        return text_of_lines(with_fields(lines, fields) if fields else lines)

    def _line_spans(self) -> Iterator[tuple[int, int]]:
        for match in _LINE.finditer(self._text):
            line = match[0]
            if stripped := line.strip():
                start = match.start() + len(line) - len(line.lstrip())
                yield start, start + len(stripped)

    def _line(self, start: int, end: int) -> Line:
        left, bottom, _, top = self._char_box(start)
        _, last_bottom, right, last_top = self._char_box(end - 1)
        font = self._font_name(start)
        style = Style(font, round(top - bottom, 1)) if self._font_name(end - 1) == font else None
        return Line(self._with_powers(start, end), left, min(bottom, last_bottom), right, max(top, last_top), style)

    def _with_powers(self, start: int, end: int) -> str:
        """The text of a line, in which 10⁶ is written as `10^6` and not as `106`."""
        text = self._text[start:end]
        for match in reversed(list(_POWER.finditer(text))):
            base, power = self._char_box(start + match.start()), self._char_box(start + match.end("base"))
            height = base[3] - base[1]
            if power[3] - power[1] < _RAISED_HEIGHT * height and power[1] > base[1] + _RAISED_BY * height:
                text = f"{text[: match.end('base')]}^{text[match.end('base') :]}"
        return text

    def _gutter(self, spans: Sequence[tuple[int, int]], lines: Sequence[Line]) -> float | None:
        """Where two columns might meet: near the middle, where long lines have a gap or short ones end and begin."""
        if len(lines) < _MIN_LINES:
            return None
        middle = (min(line.left for line in lines) + max(line.right for line in lines)) / 2
        reach = (middle - min(line.left for line in lines)) * _GUTTER_REACH
        long = [
            span
            for span, line in zip(spans, lines, strict=True)
            if line.left < middle - reach and middle + reach < line.right
        ]
        if len(long) < _MIN_LINES:
            return gutter_between(lines, middle)
        sample = long[:: max(1, len(long) // _SAMPLED_LINES)]
        gaps = [gap for span in sample if (gap := self._widest_gap(*span, middle - reach, middle + reach))]
        places = [(left + right) / 2 for left, right in gaps if right - left >= _MIN_GUTTER_POINTS]
        return median(places) if len(places) >= _MIN_GAP_SHARE * len(sample) else None

    def _widest_gap(self, start: int, end: int, left: float, right: float) -> tuple[float, float] | None:
        """The widest gap between two characters of a line that stand between two places."""
        place = self._first_right_of(start, end, left)
        before = self._char_box(place - 1)[2] if place > start else left
        gaps = []
        while place < end and before < right:
            box = self._char_box(place)
            if not self._text[place].isspace():
                gaps.append((before, box[0]))
                before = box[2]
            place += 1
        return max(gaps, key=lambda gap: gap[1] - gap[0], default=None)

    def _first_right_of(self, start: int, end: int, x: float) -> int:
        return bisect_left(range(start, end), x, key=lambda place: self._char_box(place)[0]) + start

    def _divided(self, span: tuple[int, int], line: Line, gutter: float) -> Iterator[Line]:
        start, end = span
        if line.left < gutter < line.right:
            right = self._first_right_of(start, end, gutter)
            left = start + len(self._text[start:right].rstrip())
            right += len(self._text[right:end]) - len(self._text[right:end].lstrip())
            if (
                start < left
                and right < end
                and self._char_box(right)[0] - self._char_box(left - 1)[2] >= _MIN_GUTTER_POINTS
            ):
                yield self._line(start, left)
                yield self._line(right, end)
                return
        yield line

    def _char_box(self, place: int) -> tuple[float, float, float, float]:
        self._raw.FPDFText_GetLooseCharBox(self._page, place, self._box)
        return self._box.left, self._box.bottom, self._box.right, self._box.top

    def _font_name(self, place: int) -> str:
        self._raw.FPDFText_GetFontInfo(self._page, place, self._font, _MAX_FONT_NAME_BYTES, self._flags)
        return self._font.value.decode(errors="replace")
