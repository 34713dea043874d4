"""The lines of a page and where they stand, as PDFium tells of its characters.

Knows PDFium's interface; what places mean is decided by `ingest.formats.pdf.page_layout`. The box of a character
takes a few microseconds: those of the ends of lines are asked for, and others only where lines may be two columns.
"""

import ctypes
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from ingest.formats.pdf.page_columns import Interval, footnotes_last, gutter_between, gutter_through, in_columns
from ingest.formats.pdf.page_fields import Field, with_fields
from ingest.formats.pdf.page_layout import Line, PageText, Style, holds, one_after_another, text_of_lines, without_marks
from ingest.formats.pdf.page_tables import with_tables
from ingest.formats.pdf.page_turn import Box, from_right_to_left, has_columns_of_han, is_upright, turned
from ingest.formats.pdf.table_headers import Rule, joined_rules
from ingest.formats.tables import is_row

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

_LINE = re.compile("[^\r\n\x02\ufffe]*[\x02\ufffe]?")  # PDFium leaves out the line end after a hyphen, and writes it so
_SPACE = re.compile(r"\s+")
_POWER = re.compile(r"(?<!\d)(?P<base>10)[-−–]?\d{1,2}(?!\d)")
_LATE_POWER = re.compile(r"[-−–]?\d{1,2}")
_RAISED = re.compile(r"(?<!\d)10$|(?<=\d )[cdkm]?m$")  # what a superscript belongs to, and is no footnote's
_RAISED_HEIGHT, _RAISED_BY = 0.85, 0.1  # a superscript against the figure before it: how high at most, how far up
_MAX_FONT_NAME_BYTES = 128
_MIN_LINES = 8
_SAMPLED_LINES = 8
_MIN_CELL_GAP_POINTS = 6.0
_MAX_RULE_POINTS = 3.0
_MAX_OBJECTS = 5_000
_FIRST_LINES = 3  # if none of them has a gap, no other is looked at: most pages have one column
_MIN_WIDE = 0.5
_MIN_GUTTER_POINTS = 7.0  # more than the spaces between words have, even in justified lines

_Span = tuple[int, int]
_Placed = tuple[_Span, Line]


class CharBoxes:
    """The characters of a page.

    Args:
        text: PDFium's character `n` is `text[n]`.
    """

    def __init__(self, text_page: "PdfTextPage", text: str) -> None:
        import pypdfium2.raw

        self._raw: Any = pypdfium2.raw
        self._page = text_page
        self._text = text
        self._box = pypdfium2.raw.FS_RECTF()
        self._font = ctypes.create_string_buffer(_MAX_FONT_NAME_BYTES)
        self._flags = ctypes.c_int()
        self._raised: dict[int, str] = {}
        self._spans = list(self._line_spans())
        self._degrees = self._turn()

    def page_text(self, fields: Sequence[Field]) -> PageText:
        """The text in the order in which it is read, with the values of fields."""
        placed = self._with_late_powers(self._shown_once([(span, self._line(*span)) for span in self._spans]))
        lines = [line for _, line in placed]
        fields = list(map(self._turned, fields))
        if is_upright(lines):
            if not has_columns_of_han(lines):
                return with_fields_below(PageText(self._text), fields)
            return with_fields_below(one_after_another(map(text_of_lines, from_right_to_left(lines))), fields)
        lines = self._in_columns(placed) or with_tables(
            lines, lambda begin, end: self._cells(placed[begin:end]), cache(self._rules)
        )
        if fields:
            return text_of_lines(with_fields(lines, fields))
        return one_after_another(map(text_of_lines, footnotes_last(without_marks(lines))))

    def _line_spans(self) -> Iterator[_Span]:
        for match in _LINE.finditer(self._text):
            line = match[0]
            if stripped := line.strip():
                start = match.start() + len(line) - len(line.lstrip())
                yield start, start + len(stripped)

    def _turn(self) -> int:
        """By how many degrees clockwise the page is turned for most of its lines to lie level."""
        sample = self._spans[:: max(1, len(self._spans) // _SAMPLED_LINES)]
        angles = (self._raw.FPDFText_GetCharAngle(self._page.raw, start) for start, _ in sample)
        turns = Counter(-round(angle / (math.pi / 2)) % 4 * 90 for angle in angles if angle >= 0)
        return next((degrees for degrees, count in turns.most_common(1) if 2 * count > len(sample)), 0)

    def _line(self, start: int, end: int) -> Line:
        left, bottom, _, top = self._char_box(start)
        _, last_bottom, right, last_top = self._char_box(end - 1)
        font = self._font_name(start)
        style = Style(font, round(top - bottom, 1)) if self._font_name(end - 1) == font else None
        return Line(self._with_powers(start, end), left, min(bottom, last_bottom), right, max(top, last_top), style)

    def _with_powers(self, start: int, end: int) -> str:
        """The text of a line, in which 10⁶ is written as `10^6` and not as `106`."""
        text = self._text[start:end]
        raised = {place - start: power for place, power in self._raised.items() if start < place <= end}
        for match in _POWER.finditer(text):
            base, power = self._char_box(start + match.start()), self._char_box(start + match.end("base"))
            height = base[3] - base[1]
            if power[3] - power[1] < _RAISED_HEIGHT * height and power[1] > base[1] + _RAISED_BY * height:
                raised[match.end("base")] = "^"
        for place, power_of in sorted(raised.items(), reverse=True):
            text = f"{text[:place]}{power_of}{text[place:]}"
        return text

    def _with_late_powers(self, placed: list[_Placed]) -> list[_Placed]:
        """Puts powers that are drawn after their line into it: without them, 10⁶ were 10."""
        for late, mark in [each for each in placed if _LATE_POWER.fullmatch(each[1].text)]:
            for at, (span, line) in enumerate(placed):
                if not holds(line, mark):
                    continue
                end = span[0] + len(self._text[span[0] : self._first_right_of(*span, mark.left)].rstrip())
                if base := _RAISED.search(self._text[span[0] : end]):
                    self._raised[end] = f"^{mark.text}" if base[0].isdigit() else mark.text
                    placed[at] = (span, self._line(*span))
                    placed = [each for each in placed if each[0] != late]
                break
        return placed

    def _shown_once(self, placed: list[_Placed]) -> list[_Placed]:
        """Leaves out invisible lines over which the same is drawn, as a layer for searching is laid under a page."""
        hidden = [span for span, _ in placed if self._is_hidden(span[0])]
        if not 0 < len(hidden) < len(placed):
            return placed
        unseen = set(hidden)
        seen = [line for span, line in placed if span not in unseen]
        return [(span, line) for span, line in placed if span not in unseen or not any(_covers(o, line) for o in seen)]

    def _is_hidden(self, place: int) -> bool:
        drawn = self._raw.FPDFText_GetTextObject(self._page.raw, place)
        mode = self._raw.FPDFTextObj_GetTextRenderMode(drawn) if drawn else None
        return bool(mode == self._raw.FPDF_TEXTRENDERMODE_INVISIBLE)

    def _in_columns(self, placed: Sequence[_Placed]) -> list[Line] | None:
        gutter = self._gutter(placed)
        if gutter is None:
            return None
        divided = chain.from_iterable(self._divided(span, line, gutter) for span, line in placed)
        return in_columns(list(divided), gutter)

    def _gutter(self, placed: Sequence[_Placed]) -> float | None:
        """Where two columns might meet: where wide lines have a gap, or lines end and begin in turn."""
        if len(placed) < _MIN_LINES:
            return None
        lines = [line for _, line in placed]
        left, right = min(line.left for line in lines), max(line.right for line in lines)
        wide = [
            (span, line)
            for span, line in placed
            if line.right - line.left > _MIN_WIDE * (right - left) and not is_row(line.text)
        ]
        if len(wide) >= _MIN_LINES:
            sample = wide[:: len(wide) // _SAMPLED_LINES]
            rows: list[tuple[Interval, list[Interval]]] = []
            for span, line in sample:
                rows.append(((line.left, line.right), list(self._gaps(*span))))
                if len(rows) == _FIRST_LINES and not any(gaps for _, gaps in rows):
                    break
            if gutter := gutter_through(rows, left, right):
                return gutter
        return gutter_between(lines)

    def _cells(self, placed: Sequence[_Placed]) -> list[Line]:
        """The parts of some lines that wide gaps keep apart."""
        cells: list[Line] = []
        for (start, end), _ in placed:
            for space in _SPACE.finditer(self._text, start, end):
                if self._char_box(space.end())[0] - self._char_box(space.start() - 1)[2] >= _MIN_CELL_GAP_POINTS:
                    cells.append(self._cell(start, space.start()))
                    start = space.end()
            cells.append(self._cell(start, end))
        return cells

    def _cell(self, start: int, end: int) -> Line:
        left, bottom, _, top = self._char_box(start)
        return Line(self._text[start:end], left, bottom, self._char_box(end - 1)[2], top)

    def _rules(self) -> list[Rule]:
        """The level lines that are drawn on the page."""
        raw, page = self._raw, self._page.page.raw
        edges = [ctypes.c_float() for _ in range(4)]
        found: list[Rule] = []
        for place in range(min(raw.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
            drawn = raw.FPDFPage_GetObject(page, place)
            if raw.FPDFPageObj_GetType(drawn) == raw.FPDF_PAGEOBJ_PATH and raw.FPDFPageObj_GetBounds(drawn, *edges):
                left, bottom, right, top = turned(
                    (edges[0].value, edges[1].value, edges[2].value, edges[3].value), self._degrees
                )
                if top - bottom < _MAX_RULE_POINTS:
                    found.append(Rule(left, right, bottom))
        return joined_rules(found)

    def _gaps(self, start: int, end: int) -> Iterator[Interval]:
        """The white space in a line that is wider than spaces are."""
        for space in _SPACE.finditer(self._text, start, end):
            left, right = self._char_box(space.start() - 1)[2], self._char_box(space.end())[0]
            if right - left >= _MIN_GUTTER_POINTS:
                yield left, right

    def _first_right_of(self, start: int, end: int, x: float) -> int:
        return bisect_left(range(start, end), x, key=lambda place: self._char_box(place)[0]) + start

    def _divided(self, span: _Span, line: Line, gutter: float) -> Iterator[Line]:
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

    def _char_box(self, place: int) -> Box:
        self._raw.FPDFText_GetLooseCharBox(self._page.raw, place, self._box)
        box = self._box.left, self._box.bottom, self._box.right, self._box.top
        return turned(box, self._degrees) if self._degrees else box

    def _turned(self, field: Field) -> Field:
        left, bottom, right, top = turned((field.left, field.bottom, field.right, field.top), self._degrees)
        return replace(field, left=left, bottom=bottom, right=right, top=top)

    def _font_name(self, place: int) -> str:
        self._raw.FPDFText_GetFontInfo(self._page.raw, place, self._font, _MAX_FONT_NAME_BYTES, self._flags)
        return self._font.value.decode(errors="replace")


def with_fields_below(text: PageText, fields: Sequence[Field]) -> PageText:
    """Adds the values of fields where their places tell nothing."""
    values = "\n".join(field.text for field in fields)
    return replace(text, text="\n\n".join(filter(None, [text.text, values])))


def _covers(line: Line, other: Line) -> bool:
    """Whether a line stands where most of another one stands."""
    shared = min(line.right, other.right) - max(line.left, other.left)
    return line.bottom <= (other.bottom + other.top) / 2 <= line.top and 2 * shared >= other.right - other.left
