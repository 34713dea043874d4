"""Lines that do not run from left to right as the page lies: turned by right angles, or written from top to bottom.

Pure. What is turned gets the box that it would have if it lay level, so that all else needs not know.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from ingest.formats.pdf.page_layout import Line
from kb.text.scripts import HAN

Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""

FROM_TOP_TO_BOTTOM = 270
"""The turn by which columns of Chinese, the first of them on the right, become lines, the first of them on top."""


def turned(box: Box, degrees: int) -> Box:
    """The box on a page that was turned clockwise about its origin.

    Args:
        degrees: 0, 90, 180 or 270.
    """
    left, bottom, right, top = box
    if degrees == 90:
        return bottom, -right, top, -left
    if degrees == 180:
        return -right, -top, -left, -bottom
    if degrees == 270:
        return -top, left, -bottom, right
    return box


def is_upright(lines: Sequence[Line]) -> bool:
    """Whether most lines are higher than wide: they are written from top to bottom, or lie askew."""
    return 2 * sum(line.right - line.left < line.height for line in lines if len(line.text) > 2) > len(lines)


def has_columns_of_han(lines: Sequence[Line]) -> bool:
    """Whether upright lines are Chinese or Japanese, which may be written from top to bottom."""
    return 2 * sum(HAN.search(line.text) is not None for line in lines) > len(lines)


def from_right_to_left(lines: Sequence[Line]) -> list[list[Line]]:
    """Puts columns in the order in which they are read, each as a level line.

    Returns:
        One list for each stretch of the page's height that holds columns side by side, or a level line, from the top.
    """
    tiers: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.top):
        if tiers and line.top > min(other.bottom for other in tiers[-1]):
            tiers[-1].append(line)
        else:
            tiers.append([line])
    return [[_level(line) for line in _columns(tier)] for tier in tiers]


def _columns(tier: Sequence[Line]) -> list[Line]:
    """Pieces of one column, which stand below each other, from the top; columns from the right."""
    columns: list[list[Line]] = []
    for line in sorted(tier, key=lambda line: -(line.left + line.right)):
        middle = (line.left + line.right) / 2
        if columns and columns[-1][0].left < middle < columns[-1][0].right:
            columns[-1].append(line)
        else:
            columns.append([line])
    return list(chain.from_iterable(sorted(column, key=lambda line: -line.top) for column in columns))


def _level(line: Line) -> Line:
    if line.right - line.left >= line.height:
        return line
    left, bottom, right, top = turned((line.left, line.bottom, line.right, line.top), FROM_TOP_TO_BOTTOM)
    return replace(line, left=left, bottom=bottom, right=right, top=top)
