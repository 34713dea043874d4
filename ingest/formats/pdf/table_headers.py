"""The header of a table, read column by column: `Three Months Ended: May 2022 | May 2021 ; Total`.

Pure. A header is written line by line, names of several columns over the names of each; in that order nobody could
tell which name belongs to which figure. Rules under the names say how far they reach, where there are any; else the
names do by where they stand.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, takewhile

from ingest.formats.pdf.page_layout import Line
from ingest.formats.tables import is_figure

_WORDED = re.compile(r"\w")
_UNIT = re.compile(r"[(（]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MIN_COLUMNS = 2
_WIDEST = 1.2  # times the greatest distance between columns
_MAX_LEVELS = 9
_MAX_NAME_CHARS = 60
_MAX_GAP = 1.8  # heights of a line between the levels of a header
_SAME_LEVEL = 0.5
_RULE_REACH = 4.0  # points that a name or a figure may stand out over its rule
_MIN_SHARE = 0.25

Reach = tuple[float, float]
"""Left and right, in points."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A level line that is drawn, in points."""

    left: float
    right: float
    height: float


Rules = Callable[[], Sequence[Rule]]
"""The rules that are drawn on a page, whole; asked for where names reach over several columns."""


@dataclass(frozen=True, slots=True)
class _Name:
    text: str
    columns: range


@dataclass(frozen=True, slots=True)
class TableRow:
    """The first row of figures of a table.

    Attributes:
        labels_end: Where the names of its rows end at the latest, in points.
        begin: Where its figures begin.
        figures: Right ends of the columns of figures, which stand flush right; from left to right.
    """

    line: Line
    labels_end: float
    begin: float
    figures: tuple[float, ...]

    @property
    def left(self) -> float:
        """Where the first column of figures may begin, and its name."""
        widths = [right - left for left, right in pairwise(self.figures)]
        return max(self.labels_end, self.figures[0] - _WIDEST * max(widths))

    @property
    def columns(self) -> list[Reach]:
        """How far the columns reach: each from the one before it."""
        return [*zip([self.left, *self.figures[:-1]], self.figures, strict=True)]

    def ends_header(self, cells: Sequence[Line]) -> bool:
        """Whether a line is no part of a header: it has figures, or reaches over names of rows and figures alike."""
        crosses = any(cell.left < self.left and self.begin < cell.right for cell in cells)
        return crosses or any(is_figure(cell.text) and not _YEAR.fullmatch(cell.text) for cell in cells)


def table_row(rows: Sequence[Sequence[Line]]) -> TableRow | None:
    """The first of some rows of a table, given as their cells, with the columns that they have.

    Returns:
        None where they have less than two columns, or names of rows stand in them.
    """
    labels_end, most = 0.0, list[Line]()
    for cells in rows:
        figures = list(takewhile(lambda cell: is_figure(cell.text) or not _WORDED.search(cell.text), cells[::-1]))[::-1]
        labels_end = max([labels_end, *(cell.right for cell in cells[: len(cells) - len(figures)])])
        most = max(most, [cell for cell in figures if is_figure(cell.text)], key=len)
    if len(most) < _MIN_COLUMNS or labels_end >= most[0].left:
        return None
    return TableRow(rows[0][0], labels_end, most[0].left, tuple(cell.right for cell in most))


def header_lines(lines: Mapping[int, Sequence[Line]], row: TableRow) -> list[int]:
    """Finds the lines of a header: those over the columns that stand close under each other, from the row up.

    Args:
        lines: Those above the row, each as its cells. The first one, going up, of which a cell stands over names of
            rows and figures alike ends the header.

    Returns:
        Their keys.
    """
    found: list[int] = []
    bottom, height, levels = row.line.top, row.line.bottom, 0
    for key, cells in sorted(lines.items(), key=lambda item: item[1][0].bottom):
        first = cells[0]
        if row.ends_header(cells) or first.bottom - bottom > _MAX_GAP * first.height:
            break
        bottom = max(bottom, first.top)
        if all(cell.left < row.left or _UNIT.match(cell.text) for cell in cells):
            continue  # the name of some rows, or what the figures count
        levels += first.bottom - height > _SAME_LEVEL * first.height
        if levels > _MAX_LEVELS:
            break
        found.append(key)
        height = first.bottom
    return found


def joined_rules(rules: Sequence[Rule]) -> list[Rule]:
    """Joins the pieces of rules that are drawn cell by cell."""
    joined: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: (round(rule.height), rule.left)):
        if joined and abs(joined[-1].height - rule.height) < 1.5 and -1 <= rule.left - joined[-1].right < 1:
            joined[-1] = replace(joined[-1], right=max(joined[-1].right, rule.right))
        else:
            joined.append(rule)
    return joined


def header_text(lines: Sequence[Sequence[Line]], row: TableRow, rules: Rules) -> str:
    """Writes a header.

    Args:
        lines: See `header_lines`.
        rules: Of the page.

    Returns:
        Nothing where some columns have no name, or a name no column.
    """
    columns = row.columns
    ordered = sorted((cell for cells in lines for cell in cells), key=lambda cell: (-cell.bottom, cell.left))
    corner = " ".join(cell.text for cell in ordered if cell.left < row.left)
    named = [cell for cell in ordered if cell.left >= row.left]
    levels = [_level_of(cell, named) for cell in named]
    if all(len(level) == len(columns) for level in levels):  # one name for each
        reached = [range(at, at + 1) for at in map(_place_in, named, levels)]
    else:
        over = [rule for rule in rules() if rule.height > row.line.top - _SAME_LEVEL * row.line.height]
        reached = [_columns_under(cell, level, columns, over) for cell, level in zip(named, levels, strict=True)]
    names = [_Name(cell.text, under) for cell, under in zip(named, reached, strict=True)]
    paths = [(_said(names, place, shared=True), _said(names, place, shared=False)) for place in range(len(columns))]
    if not all(own for _, own in paths) or not all(name.columns for name in names):
        return ""
    if max(len(own) for _, own in paths) > _MAX_NAME_CHARS:
        return ""
    groups = (
        (shared, " | ".join(own for _, own in group)) for shared, group in groupby(paths, key=lambda path: path[0])
    )
    text = " ; ".join(f"{shared.rstrip(',，')}: {owns}" if shared else owns for shared, owns in groups)
    return f"{corner} | {text}" if corner else text


def _said(names: Sequence[_Name], column: int, *, shared: bool) -> str:
    """What the names over a column say together: those that it shares with others, or its own."""
    return " ".join(name.text for name in names if column in name.columns and shared == (len(name.columns) > 1))


def _columns_under(cell: Line, level: Sequence[Line], columns: Sequence[Reach], rules: Sequence[Rule]) -> range:
    under = [rule for rule in rules if rule.height < cell.bottom + _SAME_LEVEL * cell.height and _is_over(cell, rule)]
    if under:
        rule = max(under, key=lambda rule: rule.height)
        reached = [n for n, (_, right) in enumerate(columns) if rule.left < right <= rule.right + 2 * _RULE_REACH]
        sharing = [each for each in level if _is_over(each, rule)]
        found = [n for n in reached if cell is min(sharing, key=lambda each: abs(_middle(each) - sum(columns[n]) / 2))]
    else:
        found = [n for n, reach in enumerate(columns) if _shared(cell, reach) > _MIN_SHARE * (cell.right - cell.left)]
    return range(found[0], found[-1] + 1) if found else range(0)


def _level_of(cell: Line, cells: Sequence[Line]) -> list[Line]:
    """The names that stand at the height of one of them, from left to right."""
    level = (each for each in cells if abs(each.bottom - cell.bottom) < _SAME_LEVEL * cell.height)
    return sorted(level, key=lambda each: each.left)


def _place_in(cell: Line, level: Sequence[Line]) -> int:
    return next(place for place, each in enumerate(level) if each is cell)


def _is_over(cell: Line, rule: Rule) -> bool:
    return rule.left - _RULE_REACH <= cell.left and cell.right <= rule.right + _RULE_REACH


def _middle(cell: Line) -> float:
    return (cell.left + cell.right) / 2


def _shared(cell: Line, reach: Reach) -> float:
    return min(cell.right, reach[1]) - max(cell.left, reach[0])
