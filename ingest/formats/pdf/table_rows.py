"""The rows of a table: names that take several lines, and figures that stand behind empty cells.

Pure. A name that goes on is told from a heading over rows by standing closer to its row than rows stand to each other.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingest.formats.grammar import COLONS
from ingest.formats.pdf.page_layout import Line
from ingest.formats.tables import is_figure, is_row

_CLOSER = 0.92
_SAME_PLACE_POINTS = 1.5
_FLUSH_POINTS = 8.0


def broken_labels(rows: Sequence[Sequence[Line]]) -> Iterator[tuple[int, int]]:
    """Finds the names of rows that take several lines.

    Args:
        rows: Of a table, in order, each as the lines that stand side by side.

    Yields:
        Numbers of the row in which a name begins, and of the one with its figures.
    """
    distances = [
        above[0].bottom - below[0].bottom for above, below in pairwise(rows) if _is_row(above) and _is_row(below)
    ]
    usual = median(distances or [0.0])
    begin: int | None = None
    for place, (above, below) in enumerate(pairwise(rows)):
        goes_on = (
            not _is_row(above)
            and len(above) == 1
            and not above[0].text.endswith(COLONS)
            and abs(above[0].left - below[0].left) < _SAME_PLACE_POINTS
            and above[0].style == below[0].style
            and 0 < above[0].bottom - below[0].bottom < _CLOSER * usual
        )
        begin = (place if begin is None else begin) if goes_on else None
        if begin is not None and _is_row(below):
            yield begin, place + 1
            begin = None


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


def _is_worded(cell: Line) -> bool:
    return any(map(str.isalnum, cell.text))


def _is_row(row: Sequence[Line]) -> bool:
    return is_row(" ".join(line.text for line in row))
