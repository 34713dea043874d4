"""From the lines of a page and where they stand to its text: table rows whole, paragraphs apart.

Pure. Knows lines as a PDF library gives them, and no file format. Their order stays; nothing is left out but marks that
are set into other lines, such as the number of a footnote.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, takewhile
from statistics import median

from ingest.formats.grammar import COLONS
from ingest.formats.tables import is_row

_PARAGRAPH_GAP = 1.3  # times the usual distance between base lines
_SHORT_BY = 0.15  # of a line: the last line of a paragraph is often no longer
_MAX_STACKED_LINES = 6
_MAX_HEADING_CHARS = 140
_MAX_HEADER_LINES = 8
_MAX_HEADER_CHARS = 100
_MIN_PROSE_WORDS = 7
_MAX_MARK_CHARS = 12
_TERMINAL = re.compile(r"[.!?:;。！？：；…][\"'”’」』）)\]]*$")
_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")
_HYPHENS = ("-", "\u00ad", "\x02", "\ufffe")
_AFTER_HYPHEN = re.compile("([\x02\ufffe]) ")
_MARK = re.compile(r"(?:[^\w\s]|[\d(),\s])+|[a-z]")


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is set.

    Attributes:
        height: Of its font, in points, rounded.
    """

    font: str
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and its box, in points from the lower left corner of the page.

    Attributes:
        style: None where it begins in another font than it ends in.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    style: Style | None = None

    @property
    def height(self) -> float:
        """From the bottom to the top of its font."""
        return max(self.top - self.bottom, 0.1)


@dataclass(frozen=True, slots=True)
class ShortLine:
    """A paragraph of one line in one style, which may be a heading.

    Attributes:
        is_over_table: Whether rows of figures follow soon.
    """

    text: str
    style: Style
    is_over_table: bool = False


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page, with an empty line between paragraphs.

    Attributes:
        short_lines: In order.
        styles: How many characters are set in each style.
        notes: What readers have noted on the page, in its own words.
    """

    text: str
    short_lines: tuple[ShortLine, ...] = ()
    styles: tuple[tuple[Style, int], ...] = ()
    notes: tuple[str, ...] = ()


def text_of_lines(lines: Sequence[Line]) -> PageText:
    """Writes the lines of a page as text.

    Args:
        lines: In the order in which they are read.
    """
    rows = _rows(without_marks(lines))
    paragraphs = list(_paragraphs(rows))
    counts: Counter[Style] = Counter()
    for line in rows:
        if line.style:
            counts[line.style] += len(line.text)
    return PageText(
        "\n\n".join("\n".join(line.text for line in paragraph) for paragraph in paragraphs),
        tuple(_short_lines(paragraphs)),
        tuple(counts.items()),
    )


def one_after_another(parts: Iterable[PageText]) -> PageText:
    """Joins the texts of parts of a page."""
    found = list(parts)
    return PageText(
        "\n\n".join(part.text for part in found),
        tuple(chain.from_iterable(part.short_lines for part in found)),
        tuple(chain.from_iterable(part.styles for part in found)),
    )


def _short_lines(paragraphs: Sequence[Sequence[Line]]) -> Iterator[ShortLine]:
    for place, (line, *more) in enumerate(paragraphs):
        if not more and line.style and len(line.text) <= _MAX_HEADING_CHARS:
            below = islice(chain.from_iterable(paragraphs[place + 1 :]), _MAX_HEADER_LINES)
            header = takewhile(lambda line: is_row(line.text) or not _is_prose(line.text), below)
            yield ShortLine(line.text, line.style, any(is_row(line.text) for line in header))


def _is_prose(text: str) -> bool:
    ends = _TERMINAL.search(text) is not None and len(text.split()) >= _MIN_PROSE_WORDS
    return ends or len(text) > _MAX_HEADER_CHARS


def without_marks(lines: Sequence[Line]) -> list[Line]:
    """Leaves out marks that stand within the box of another line, as superscripts do that are drawn after the text."""
    bodies = [line for line in lines if len(line.text) > _MAX_MARK_CHARS]
    return [line for line in lines if not (_is_mark(line.text) and any(holds(body, line) for body in bodies))]


def _is_mark(text: str) -> bool:
    return len(text) <= _MAX_MARK_CHARS and _MARK.fullmatch(text) is not None


def holds(body: Line, mark: Line) -> bool:
    """Whether a line that is smaller stands within another one, as a superscript does."""
    middle = (mark.bottom + mark.top) / 2
    is_smaller = mark.height < 0.85 * body.height
    is_beside = body.left <= mark.left and mark.right <= body.right + body.height
    return is_smaller and is_beside and body.bottom <= middle <= body.top + 0.2 * body.height


def _rows(lines: Sequence[Line]) -> list[Line]:
    """Joins the cells of a row that are drawn one by one: lines that go up and to the right of those before."""
    rows: list[Line] = []
    last_cell: Line | None = None
    for line in lines:
        if last_cell and _is_below(last_cell, line) and line.bottom >= rows[-1].bottom - 0.3 * line.height:
            rows[-1], last_cell = _joined([rows[-1], line]), line
        elif cells := _cells_beside(rows, line):
            rows[-len(cells) :] = [_joined([*cells, line])]
            last_cell = line
        else:
            rows.append(line)
            last_cell = None
    return rows


def _is_below(cell: Line, line: Line) -> bool:
    return line.top < cell.top and line.left < cell.right and cell.left < line.right


def _joined(cells: Sequence[Line]) -> Line:
    style = cells[0].style if len({cell.style for cell in cells}) == 1 else None
    return Line(
        _AFTER_HYPHEN.sub(r"\1", " ".join(cell.text for cell in cells)),
        min(cell.left for cell in cells),
        min(cell.bottom for cell in cells),
        max(cell.right for cell in cells),
        max(cell.top for cell in cells),
        style,
    )


def _cells_beside(rows: Sequence[Line], line: Line) -> list[Line]:
    """The last lines that stand to the left of a line, at its height, one under the other."""
    cells: list[Line] = []
    for cell in reversed(rows[-_MAX_STACKED_LINES:]):
        if cell.right > line.left or (cells and not 0 <= cell.bottom - cells[-1].bottom < 2 * cell.height):
            break
        cells.append(cell)
        if cell.top >= line.top:
            break
    if (
        not cells
        or cells[0].text.endswith(COLONS)
        or line.bottom < cells[0].bottom - 0.3 * line.height
        or line.top > cells[-1].top + 0.5 * line.height
    ):
        return []
    return cells[::-1]


def _paragraphs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    usual = _usual_distance(lines)
    paragraph: list[Line] = []
    for place, line in enumerate(lines):
        if paragraph and _begins_paragraph(paragraph[-1], lines[place:], usual):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


def _usual_distance(lines: Sequence[Line]) -> float:
    """Between base lines, in heights of the font."""
    distances = [(above.bottom - below.bottom) / below.height for above, below in pairwise(lines)]
    return median([distance for distance in distances if 0.5 < distance < 3] or [1.2])


def _begins_paragraph(above: Line, lines: Sequence[Line], usual: float) -> bool:
    line = lines[0]
    if line.bottom > above.bottom - 0.3 * line.height:  # the next column, or something that was drawn later
        return _TERMINAL.search(above.text) is not None or not _goes_on(above.text, line.text)
    if above.bottom - line.bottom > _PARAGRAPH_GAP * usual * max(line.height, min(above.height, 1.5 * line.height)):
        return True
    ends_early = above.right + _SHORT_BY * (line.right - line.left) < line.right
    is_indented = line.left > above.left + 0.8 * line.height and any(below.left < line.left for below in lines[1:2])
    ends = _SENTENCE_END.search(above.text) is not None and not is_row(line.text)
    if ends and (ends_early or is_indented) and not _goes_on(above.text, line.text):
        return True
    is_set_apart = above.style is not None and line.style is not None and above.style != line.style
    return is_set_apart and not any(is_row(following.text) for following in lines[:3])


def _goes_on(above: str, line: str) -> bool:
    is_chinese = above[-1:] > "\u3000" and (above[-1:] + line[:1]).isalpha()
    return above.endswith(_HYPHENS) or line[:1].islower() or is_chinese
