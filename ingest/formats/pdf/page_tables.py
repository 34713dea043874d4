"""The tables among the lines of a page, written so that each figure can be told by its row and its column.

Pure. A table is what `ingest.formats.tables` takes for one. Of its lines none is lost: those of its header become one,
as do those of the name of a row, and bars stand where cells are empty.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest.formats.pdf.page_layout import Line
from ingest.formats.pdf.table_headers import Rules, TableRow, header_lines, header_text, table_row
from ingest.formats.pdf.table_rows import broken_labels, with_empty_cells
from ingest.formats.tables import figure_count, is_row, table_spans

_SAMPLED_ROWS = 8
_MAX_HEADER_HEIGHT = 16  # lines
_LINE_DISTANCE = 1.15
_SAME_LEVEL = 0.5

Cells = Callable[[int, int], list[Line]]
"""The cells of the lines from one place to another, which wide gaps keep apart."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Lines that stand side by side: `lines[begin:end]`."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Edits:
    """What becomes of lines, by their place.

    Attributes:
        instead: What stands in the place of a line; None: nothing does.
        before: What is put before a line.
    """

    instead: dict[int, Line | None] = field(default_factory=dict)
    before: dict[int, Line] = field(default_factory=dict)

    def drop(self, places: Iterable[int]) -> None:
        self.instead.update(dict.fromkeys(places))

    def applied(self, lines: Sequence[Line]) -> Iterator[Line]:
        for place, line in enumerate(lines):
            yield from filter(None, (self.before.get(place), self.instead.get(place, line)))


def with_tables(lines: Sequence[Line], cells: Cells, rules: Rules) -> list[Line]:
    """Writes the tables of a page anew.

    Args:
        lines: In the order in which they are drawn.
        rules: Those of the page.
    """
    rows = list(_level_rows(lines))
    tables = list(table_spans([row.text for row in rows]))
    edits = _Edits()
    for begin, end in tables:
        figures = [row for row in rows[begin:end] if is_row(row.text)]
        first = rows.index(figures[0])
        table = table_row([cells(row.begin, row.end) for row in figures[:_SAMPLED_ROWS]])
        if table is not None:
            _mark_empty_cells(lines, rows[first:end], table, cells, edits)
            _rewrite_header(lines, figures[0].begin, table, cells, rules, edits)
        _join_labels(lines, rows[max(0, first - 2) : end], edits)
    return list(edits.applied(lines))


def _level_rows(lines: Sequence[Line]) -> Iterator[_Row]:
    begin = 0
    for place in range(1, len(lines) + 1):
        if place == len(lines) or not _stands_beside(lines[place - 1], lines[place]):
            yield _Row(begin, place, " ".join(line.text for line in lines[begin:place]))
            begin = place


def _stands_beside(line: Line, other: Line) -> bool:
    return line.right <= other.left and abs(line.bottom - other.bottom) < _SAME_LEVEL * line.height


def _mark_empty_cells(
    lines: Sequence[Line], rows: Sequence[_Row], table: TableRow, cells: Cells, edits: _Edits
) -> None:
    for row in rows:
        if 0 < figure_count(row.text) < len(table.figures) and (
            text := with_empty_cells(cells(row.begin, row.end), table.figures)
        ):
            edits.drop(range(row.begin, row.end))
            edits.instead[row.begin] = replace(lines[row.begin], text=text, right=lines[row.end - 1].right)


def _rewrite_header(
    lines: Sequence[Line], first: int, table: TableRow, cells: Cells, rules: Rules, edits: _Edits
) -> None:
    """Puts one line in the place of those that are a header, right over what stands below them."""
    near = table.line.top + _MAX_HEADER_HEIGHT * table.line.height
    above = {place: cells(place, place + 1) for place in range(first) if table.line.bottom < lines[place].bottom < near}
    header = header_lines(above, table)
    text = header_text([above[place] for place in header], table, rules)
    if not text:
        return
    below = next(line for place, line in enumerate(lines) if place >= min(header) and place not in header)
    bottom = below.bottom + _LINE_DISTANCE * below.height
    edits.before[min(header)] = Line(text, below.left, bottom, table.line.right, bottom + below.height)
    edits.drop(header)


def _join_labels(lines: Sequence[Line], rows: Sequence[_Row], edits: _Edits) -> None:
    for begin, end in broken_labels([lines[row.begin : row.end] for row in rows]):
        last = rows[end].begin
        beginnings = [row.begin for row in rows[begin:end]]
        line = edits.instead.get(last) or lines[last]
        text = " ".join([*(lines[place].text for place in beginnings), line.text])
        edits.instead[last] = replace(line, text=text, top=lines[beginnings[0]].top)
        edits.drop(beginnings)
