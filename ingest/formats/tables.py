"""What lines of text tell of a table: which are rows of figures, and which the header above them.

Pure. Knows lines as they stand in Markdown, with bars between the cells, and as they come out of a PDF, with spaces.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ingest.formats.grammar import CLOSED

_FIGURE = re.compile(r"[$€£¥￥(+\-–—]*\d(?:[\d,.]*\d)?[)%％*]*|[$€£¥￥%％—–\-()]+|N/?A")
_YEAR = re.compile(r"(?:19|20)\d\d")
_UNIT = re.compile(
    r"(?!(?:and|or|to|of|in|the|by|at|on|for|from|with|than|per)$)[^\W\d_]{1,6}(?:/[^\W\d_]{1,3})?|°[CF]?|[²³]"
)
_NUMBER = re.compile(r"[\d—–]")
_LABEL = re.compile(r"\S+(?:\s+\S+){0,7}\s*[:：]")
_SENTENCE_END = re.compile(rf"[.!?:;。！？：；]{CLOSED}")
_DELIMITER_ROW = re.compile(r"[\s|:-]*-[\s|:-]*")
_BAR = "|"
_MIN_FIGURES = 2
_MIN_ROWS = 2
_MAX_LINES_BETWEEN = 3
_MAX_HEADER_LINES = 6
_MAX_HEADER_CHARS = 110


def is_row(line: str) -> bool:
    """Whether a line ends in two or more figures, as `Services 19,604 17,486` does; years are none.

    A word like a unit may stand after each of them, and a bar before, as in `Net amount | | 9,705 | 10,953`.
    """
    return figure_count(line) >= _MIN_FIGURES


def figure_count(line: str) -> int:
    """How many figures a line ends in; see `is_row`."""
    figures, may_be_unit = 0, True
    is_markdown = line.startswith(_BAR)
    for word in reversed(line.split()):
        if word == _BAR and not is_markdown:
            continue
        if _FIGURE.fullmatch(word):
            is_dash = not any(char.isdigit() for char in word)
            figures += _NUMBER.search(word) is not None and not _YEAR.fullmatch(word) and (may_be_unit or not is_dash)
            may_be_unit = True
        elif may_be_unit and _UNIT.fullmatch(word):
            may_be_unit = False
        else:
            break
    return figures


def is_figure(text: str) -> bool:
    """Whether a cell holds a figure, or a dash in the place of one; a lone sign of a currency is none."""
    words = text.split()
    return _NUMBER.search(text) is not None and all(_FIGURE.fullmatch(word) for word in words)


def table_spans(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Finds the tables in a paragraph without markup.

    A table has two rows of figures, or more, with few other lines between them; the lines above that are no sentences
    are its header.

    Yields:
        The numbers of the first line and of the one after the last, in order.
    """
    rows = [place for place, line in enumerate(lines) if is_row(line)]
    gaps = [
        place for place, (row, next_row) in enumerate(pairwise(rows), start=1) if next_row - row > _MAX_LINES_BETWEEN
    ]
    free_from = 0
    for first, last in pairwise([0, *gaps, len(rows)]):
        if last - first >= _MIN_ROWS:
            begin, end = rows[first], rows[last - 1] + 1
            while begin > free_from and _is_label(lines[begin - 1]):
                begin -= 1
            top = max(free_from, begin - _MAX_HEADER_LINES)
            while begin > top and _may_be_header(lines[begin - 1]):
                begin -= 1
            yield begin, end
            free_from = end


def header_line_count(lines: Sequence[str]) -> int:
    """How many lines at the beginning of a table are its header; 0 where it begins with a row."""
    for count, line in enumerate(lines[1 : _MAX_HEADER_LINES + 1], start=2):
        if is_delimiter_row(line):
            return count
    return next((place for place, line in enumerate(lines) if is_row(line) or _is_label(line)), 0)


def is_delimiter_row(line: str) -> bool:
    """Whether a line is what stands between header and rows of a Markdown table."""
    return _DELIMITER_ROW.fullmatch(line.strip()) is not None


def _is_label(line: str) -> bool:
    return _LABEL.fullmatch(line.strip()) is not None


def _may_be_header(line: str) -> bool:
    return (len(line) <= _MAX_HEADER_CHARS or "|" in line) and not _SENTENCE_END.search(line.rstrip())
