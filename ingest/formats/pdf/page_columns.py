"""The order of lines on a page with two columns, where the content of the page goes from one column to the other.

Pure. A table has gutters too: columns are believed only where both are prose whose lines fill their width, over most of
the height of what they stand in. Invariant: the same lines, in another order.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, pairwise
from statistics import median

from ingest.formats.pdf.page_layout import Line
from ingest.formats.tables import is_row

_MIN_COLUMN_LINES = 8
_MAX_EDGE_LINES = 3
_MIN_COLUMN_SHARE = 0.5
_MIN_COLUMN_WIDTH = 0.2
_MIN_OPEN_LINES = 4
_MIN_OPEN_SHARE = 0.6
_FOOTNOTE_HEIGHT = 0.93
_MIN_FULL_SHARE = 0.6
_FULL_LINE = 0.75
_MIN_WORD_SHARE = 0.7

Interval = tuple[float, float]

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
    return [*ordered, *_side_by_side(rest, gutter), *_side_by_side(foot, gutter)]


def _extent(lines: Sequence[Line]) -> float:
    return max(line.top for line in lines) - min(line.bottom for line in lines)


def gutter_through(rows: Sequence[tuple[Interval, Sequence[Interval]]], left: float, right: float) -> float | None:
    """Finds the place between two columns whose lines are drawn as one.

    Args:
        rows: Lines, each with the wide gaps in it.
        left: With `right`, how far the text of the page reaches.

    Returns:
        Where most lines that reach over it have a gap; None where there is no such place.
    """
    gutter = _most_shared([gap for _, gaps in rows for gap in gaps], left, right)
    if gutter is None:
        return None
    over = [gaps for (begin, end), gaps in rows if begin < gutter < end]
    open_there = sum(any(begin <= gutter <= end for begin, end in gaps) for gaps in over)
    return gutter if open_there >= max(_MIN_OPEN_LINES, _MIN_OPEN_SHARE * len(over)) else None


def gutter_between(lines: Sequence[Line]) -> float | None:
    """Finds the place between two columns whose lines are drawn in turn, each for itself.

    Args:
        lines: In the order of the page's content.

    Returns:
        None where the columns stand one after another already, or where there are none.
    """
    pairs = [
        (left.right, right.left)
        for left, right in pairwise(lines)
        if left.right <= right.left and abs(left.bottom - right.bottom) < left.height
    ]
    if len(pairs) < _MIN_COLUMN_LINES:
        return None
    gutter = _most_shared(pairs, min(line.left for line in lines), max(line.right for line in lines))
    shared = sum(begin <= gutter <= end for begin, end in pairs) if gutter is not None else 0
    return gutter if shared >= _MIN_COLUMN_LINES else None


def footnotes_last(lines: Sequence[Line]) -> list[Sequence[Line]]:
    """Moves the footnotes under a column behind the next column, so that the text goes on there.

    They are smaller lines, one under the other, after which the page goes on higher and farther to the right.

    Returns:
        All lines; what was moved, and what stands behind it, apart.
    """
    heights: Counter[float] = Counter()
    for line in lines:
        heights[round(line.height, 1)] += len(line.text)
    small = _FOOTNOTE_HEIGHT * max(heights, key=heights.__getitem__, default=0.0)
    runs = [list(run) for _, run in groupby(lines, key=lambda line: line.height < small)]
    notes = [
        run
        for before, run, after in zip(runs, runs[1:], runs[2:], strict=False)
        if run[0].height < small and _stand_under(run, before[-1]) and _is_next_column(after[0], run)
    ]
    moved = list(chain.from_iterable(notes))
    rest = [line for line in lines if line not in moved]
    end = len(rest)
    while end and rest[end - 1].top < min((line.bottom for line in moved), default=0.0):
        end -= 1  # the number of the page
    while end and rest[end - 1].height < small:
        end -= 1  # notes of the last column
    last = list(_one_under_the_other(rest[end:]))
    return [rest[:end], *notes, *last] if notes or len(last) > 1 else [lines]


def _one_under_the_other(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Divides lines where they go up."""
    begins = [place for place, (above, line) in enumerate(pairwise(lines), start=1) if line.bottom > above.top]
    yield from (list(lines[begin:end]) for begin, end in pairwise([0, *begins, len(lines)]))


def _stand_under(run: Sequence[Line], line: Line) -> bool:
    return all(below.top <= above.bottom + above.height for above, below in pairwise([line, *run]))


def _is_next_column(line: Line, run: Sequence[Line]) -> bool:
    return line.bottom > run[0].top and line.left >= median(each.right for each in run)


def _most_shared(intervals: Sequence[Interval], left: float, right: float) -> float | None:
    """The place that lies in most intervals, of those that leave some width to both of its sides."""
    margin = _MIN_COLUMN_WIDTH * (right - left)
    places = [place for begin, end in intervals if left + margin <= (place := (begin + end) / 2) <= right - margin]
    best = max(places, key=lambda place: sum(begin <= place <= end for begin, end in intervals), default=None)
    if best is None:
        return None
    around = [each for each in intervals if each[0] <= best <= each[1]]
    return (max(begin for begin, _ in around) + min(end for _, end in around)) / 2


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
