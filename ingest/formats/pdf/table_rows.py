"""The rows of a table: names that take several lines, and figures that stand behind empty cells.

Pure. A name that goes on is told from a heading over rows by standing closer to its row than rows stand to each other.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest.formats.grammar import COLONS
from ingest.formats.pdf.page_layout import Line
from ingest.formats.tables import is_figure, is_row

_CLOSER = 0.92
_SAME_PLACE_POINTS = 1.5
_FLUSH_POINTS = 8.0


def broken_labels(rows: Sequence[Sequence[Line]]) -> dict[Line, list[Line]]:
    """Finds the lines that a name of a row begins with, by the line that it ends with.

    Args:
        rows: Of a table, in order, each as the lines that stand side by side.
    """
    distances = [
        above[0].bottom - below[0].bottom for above, below in pairwise(rows) if _is_row(above) and _is_row(below)
    ]
    if not distances:
        return {}
    usual = median(distances)
    found: dict[Line, list[Line]] = {}
    before: list[Line] = []
    for above, below in pairwise(rows):
        goes_on = (
            not _is_row(above)
            and len(above) == 1
            and not above[0].text.endswith(COLONS)
            and abs(above[0].left - below[0].left) < _SAME_PLACE_POINTS
            and above[0].style == below[0].style
            and 0 < above[0].bottom - below[0].bottom < _CLOSER * usual
        )
        before = [*before, above[0]] if goes_on else []
        if before and _is_row(below):
            found[below[0]] = before
            before = []
    return found


def with_empty_cells(cells: Sequence[Line], columns: Sequence[float]) -> str:
    """Writes a row with bars between its cells where some are empty: `Net amount | | 9,705 | 10,953`.

    Args:
        cells: Of the row.
        columns: Right ends of the columns of figures.

    Returns:
        Nothing where no cell is empty before the last figure, or it is not clear which are.
    """
    figures = [cell for cell in cells if is_figure(cell.text)]
    places = [min(range(len(columns)), key=lambda n: abs(columns[n] - figure.right)) for figure in figures]
    flush = all(abs(columns[n] - each.right) < _FLUSH_POINTS for n, each in zip(places, figures, strict=True))
    label = " ".join(cell.text for cell in cells if figures and cell.right < figures[0].left and _is_worded(cell))
    if not label or not flush or len(set(places)) < len(places) or places == [*range(len(places))]:
        return ""
    written = dict(zip(places, figures, strict=True))
    texts = (written[n].text if n in written else "" for n in range(places[-1] + 1))
    return " ".join([label, *(f"| {text}".rstrip() for text in texts)])


def with_rows(lines: Sequence[Line], labels: dict[Line, list[Line]], rows: dict[Line, str]) -> list[Line]:
    """Puts the beginnings of names before their ends, and rows that are written anew in their place.

    Args:
        rows: By the first of their lines; empty for lines that are part of them.
    """
    beginnings = {line for before in labels.values() for line in before}
    written = [(line, rows.get(line, line.text)) for line in lines if line not in beginnings]
    return [_named(line, text, labels.get(line, [])) for line, text in written if text]


def _named(line: Line, text: str, before: Sequence[Line]) -> Line:
    top = before[0].top if before else line.top
    return replace(line, text=" ".join([*(each.text for each in before), text]), top=top)


def _is_worded(cell: Line) -> bool:
    return any(map(str.isalnum, cell.text))


def _is_row(row: Sequence[Line]) -> bool:
    return is_row(" ".join(line.text for line in row))
