"""From lines that were found in a picture to the text of a page in reading order, and the boxes of its words.

Pure. A page that lies askew is set straight first, for order and paragraphs alone: boxes are those of the picture.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from ingest.formats.pdf.page_columns import gutter_between, in_columns
from ingest.formats.pdf.page_layout import Line, text_of_lines
from kb.text.scripts import CJK
from kb.values.scans import ScannedPage, Word

Point = tuple[float, float]

_MAX_ASKEW = math.radians(20)  # what is turned further is no line that runs across the page
_LONG = 3.0  # heights: the direction of a shorter line means little
_SAME_ROW = 0.5  # of its height, how far a line may stand from the row before it
_WORD = re.compile(rf"[{CJK}]|[^\s{CJK}]+")


@dataclass(frozen=True, slots=True)
class Character:
    """A character, and the corners of its box in pixels from the upper left corner of the picture."""

    text: str
    corners: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A line that was read.

    Attributes:
        corners: Of its box, in pixels: upper left, upper right, lower right, lower left.
        characters: All but white space, in order; empty where their places are not known.
    """

    text: str
    corners: tuple[Point, ...]
    characters: tuple[Character, ...] = ()


def scanned_page(lines: Sequence[PictureLine], width: int, height: int) -> ScannedPage:
    """Puts the lines of a picture in order.

    Args:
        width: Of the picture, in pixels, as is the height.
    """
    angle = _askew(lines)
    straight = {id(placed): (placed, line) for line in lines for placed in (_straight(line, angle, height),)}
    order = _in_order([placed for placed, _ in straight.values()])
    words = [word for placed in order for word in _words(straight[id(placed)][1], width, height)]
    return ScannedPage(text_of_lines(order).text, tuple(words))


def _askew(lines: Sequence[PictureLine]) -> float:
    """By how much the lines run down to the right, in radians."""
    runs = [(right[0] - left[0], right[1] - left[1], below[1] - right[1]) for left, right, below, _ in _corners(lines)]
    angles = [math.atan2(down, across) for across, down, high in runs if across > _LONG * high]
    return median([angle for angle in angles if abs(angle) < _MAX_ASKEW] or [0.0])


def _corners(lines: Sequence[PictureLine]) -> Iterator[tuple[Point, ...]]:
    return (line.corners for line in lines if len(line.corners) == 4)


def _straight(line: PictureLine, angle: float, height: int) -> Line:
    turned = [
        (x * math.cos(angle) + y * math.sin(angle), height - (y * math.cos(angle) - x * math.sin(angle)))
        for x, y in line.corners
    ]
    across, up = zip(*turned, strict=True)
    return Line(line.text, min(across), min(up), max(across), max(up))


def _in_order(lines: Sequence[Line]) -> list[Line]:
    rows = list(_in_rows(lines))
    if not rows:
        return rows
    gutter = gutter_between(rows)
    return (gutter and in_columns(rows, gutter)) or rows


def _in_rows(lines: Sequence[Line]) -> Iterator[Line]:
    """From top to bottom, and what stands at one height from left to right."""
    row: list[Line] = []
    for line in sorted(lines, key=lambda line: -_middle(line)):
        if row and _middle(row[0]) - _middle(line) > _SAME_ROW * min(row[0].height, line.height):
            yield from sorted(row, key=lambda line: line.left)
            row = []
        row.append(line)
    yield from sorted(row, key=lambda line: line.left)


def _middle(line: Line) -> float:
    return (line.bottom + line.top) / 2


def _words(line: PictureLine, width: int, height: int) -> Iterator[Word]:
    """The words of a line; it is one, where the places of its characters are not known."""
    if "".join(character.text for character in line.characters) != "".join(line.text.split()):
        yield _word(line.text, [line.corners], width, height)
        return
    place = 0
    for match in _WORD.finditer(line.text):
        characters = line.characters[place : place + len(match[0])]
        place += len(match[0])
        yield _word(match[0], [character.corners for character in characters], width, height)


def _word(text: str, boxes: Sequence[tuple[Point, ...]], width: int, height: int) -> Word:
    across = [min(max(x / width, 0.0), 1.0) for box in boxes for x, _ in box]
    down = [min(max(y / height, 0.0), 1.0) for box in boxes for _, y in box]
    return Word(text, *(round(edge, 4) for edge in (min(across), min(down), max(across), max(down))))
