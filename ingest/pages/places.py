"""From characters to what is seen: the boxes around a stretch of text, and the lines of a page.

Pure. Boxes are those of `ingest.formats.page_view`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.formats.page_view import Box, Glyphs

_MIN_OVERLAP = 0.5
_MAX_GAP = 1.2  # times the height of a line: spaces of justified lines are less, gaps between cells are more
_NARROW = 1.6  # times the width of a character: a column of text that runs from top to bottom


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line as it is drawn."""

    text: str
    box: Box


def boxes_of(places: Iterable[int], glyphs: Glyphs) -> list[Box]:
    """The boxes around characters, one for each stretch of a line.

    Args:
        places: Of the characters among the glyphs, in order of the text.
    """
    rows: list[Box] = []
    for place in places:
        box = glyphs.boxes[place]
        if box[0] < box[2] and box[1] < box[3]:
            if rows and goes_on(rows[-1], box):
                rows[-1] = around(rows[-1], box)
            else:
                rows.append(box)
    return list(dict.fromkeys(rows))


def lines_of(glyphs: Glyphs) -> Iterator[TextLine]:
    """The lines of the page's own text, with their spaces, in the order in which they are drawn."""
    text, box = "", None
    for char, own in zip(glyphs.text[: glyphs.printed], glyphs.boxes, strict=False):
        is_seen = own[0] < own[2]
        if char in "\r\n" or (is_seen and box and not goes_on(box, own)):
            if box and text.strip():
                yield TextLine(text.strip(), box)
            text, box = "", None
        if char not in "\r\n":
            text += char
        if is_seen:
            box = around(box, own) if box else own
    if box and text.strip():
        yield TextLine(text.strip(), box)


def goes_on(line: Box, char: Box) -> bool:
    """Whether a character stands on a line, right behind it or in it."""
    height, width = char[3] - char[1], char[2] - char[0]
    if _overlap(line[1], line[3], char[1], char[3]) >= _MIN_OVERLAP:
        gap = max(char[0] - line[2], line[0] - char[2])
        return gap <= _MAX_GAP * max(height, 1)
    is_column = line[2] - line[0] <= _NARROW * max(width, 1)
    gap = max(char[1] - line[3], line[1] - char[3])
    return is_column and _overlap(line[0], line[2], char[0], char[2]) >= _MIN_OVERLAP and gap <= _MAX_GAP / 2 * width


def around(one: Box, other: Box) -> Box:
    """The box that holds two."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _overlap(start: int, end: int, other_start: int, other_end: int) -> float:
    """Of two stretches, as a part of the shorter one."""
    shorter = max(1, min(end - start, other_end - other_start))
    return (min(end, other_end) - max(start, other_start)) / shorter


def within(boxes: Sequence[Box], glyphs: Glyphs) -> list[tuple[float, float, float, float]]:
    """Boxes as parts of the page, in 0…1: left, top, width, height."""
    width, height = glyphs.width, glyphs.height
    return [
        (
            round(left / width, 5),
            round(top / height, 5),
            round((right - left) / width, 5),
            round((bottom - top) / height, 5),
        )
        for left, top, right, bottom in boxes
    ]
