"""The order of lines on a page with two columns, where the content of the page goes from one column to the other.

Pure. A table has gutters too: columns are believed only where both are prose whose lines fill their width, over most of
the height of what they stand in. Invariant: the same lines, in another order.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingest.formats.pdf.page_layout import Line
from ingest.formats.tables import is_row

_MIN_COLUMN_LINES = 8
_MAX_EDGE_LINES = 3
_MIN_COLUMN_SHARE = 0.5
_MIN_FULL_SHARE = 0.6
_FULL_LINE = 0.75
_MIN_WORD_SHARE = 0.7
_LETTER = re.compile(r"[^\W\d_]")


def in_columns(lines: Sequence[Line], gutter: float) -> list[Line] | None:
    """Puts the lines of a page with two columns in order: what spans both, then the left, then the right one.

    Args:
        lines: Those that cross the gutter only by its width already divided there.
        gutter: Where the columns meet, in points.

    Returns:
        The same lines; None where they are no columns of prose. Then they may be a table.
    """
    head, body, foot = _head_and_foot(sorted(lines, key=lambda line: -line.top))
    left = [line for line in body if line.right <= gutter]
    right = [line for line in body if line.left >= gutter]
    if not (_is_prose_column(left) and _is_prose_column(right)):
        return None
    if min(map(_extent, (left, right))) < _MIN_COLUMN_SHARE * _extent(body):
        return None
    ordered = [*head]
    rest = [line for line in lines if line in body]
    for bar in (line for line in body if line.left < gutter < line.right and line in rest):
        above = [line for line in rest if line.bottom >= bar.bottom and line is not bar]
        ordered += [*_side_by_side(above, gutter), bar]
        rest = [line for line in rest if line is not bar and line not in above]
    return [*ordered, *_side_by_side(rest, gutter), *foot]


def _extent(lines: Sequence[Line]) -> float:
    return max(line.top for line in lines) - min(line.bottom for line in lines)


def gutter_between(lines: Sequence[Line], middle: float) -> float | None:
    """Finds the place between two columns whose lines are drawn in turn, each for itself.

    Args:
        lines: In the order of the page's content.
        middle: Where to look for it, in points.

    Returns:
        None where the columns stand one after another already, or where there are none.
    """
    pairs = [
        (left.right, right.left)
        for left, right in pairwise(lines)
        if left.right <= middle <= right.left and abs(left.bottom - right.bottom) < left.height
    ]
    if len(pairs) < _MIN_COLUMN_LINES:
        return None
    return (max(left for left, _ in pairs) + min(right for _, right in pairs)) / 2


def _head_and_foot(lines: Sequence[Line]) -> tuple[list[Line], list[Line], list[Line]]:
    """Takes off the few lines at the top and the bottom that white space across the page parts from the rest."""
    strips = [
        place
        for place, below in enumerate(lines[1:], start=1)
        if min(line.bottom for line in lines[:place]) - below.top > below.height
    ]
    first = max((place for place in strips if place <= _MAX_EDGE_LINES), default=0)
    last = min((place for place in strips if place >= len(lines) - _MAX_EDGE_LINES), default=len(lines))
    return list(lines[:first]), list(lines[first:last]), list(lines[last:])


def _side_by_side(lines: Sequence[Line], gutter: float) -> Iterator[Line]:
    yield from (line for line in lines if line.right <= gutter)
    yield from (line for line in lines if line.right > gutter)


def _is_prose_column(lines: Sequence[Line]) -> bool:
    if len(lines) < _MIN_COLUMN_LINES:
        return False
    begin, end = median(line.left for line in lines), max(line.right for line in lines)
    full = sum(line.right - line.left >= _FULL_LINE * (end - begin) for line in lines)
    worded = sum(_is_worded(line.text) for line in lines)
    return full >= _MIN_FULL_SHARE * len(lines) and worded >= _MIN_WORD_SHARE * len(lines)


def _is_worded(text: str) -> bool:
    return 2 * len(_LETTER.findall(text)) > len(text) and not is_row(text)
