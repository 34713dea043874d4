"""The sections of a PDF: where on its pages the entries of its outline begin, and the blocks between them.

Pure. An outline names pages; the place on the page is where a line begins with the entry's title.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ingest.formats.layout import paragraph_spans
from ingest.formats.tables import table_spans
from kb.values.documents import Block, BlockKind

PAGE_SEPARATOR = "\n\n"
_MAX_SOUGHT_CHARS = 160
_NUMBERING = r"(?:(?:[A-Z]|[IVX]+|\d{1,3})(?:[.\-]\d{1,3})*[.):、]?\s+)?"


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """One entry of the table of contents that a PDF carries.

    Attributes:
        depth: 0 for the outermost.
        page: 1-based.
    """

    depth: int
    title: str
    page: int


@dataclass(frozen=True, slots=True)
class _Section:
    """Where a section begins: the heading is `page[start:heading_end]`, empty where it was not found."""

    start: int
    heading_end: int
    headings: tuple[str, ...]


def page_blocks(pages: Sequence[str], outline: Sequence[OutlineEntry]) -> Iterator[Block]:
    """Cuts pages into headings and paragraphs.

    Args:
        pages: Cleaned texts; the document's text is made of them with `PAGE_SEPARATOR` between.
        outline: In reading order; entries of pages that are not there are passed over.

    Yields:
        Blocks in order, with offsets in the document's text.
    """
    sections = _sections(pages, outline)
    headings: tuple[str, ...] = ()
    offset = 0
    for number, page in enumerate(pages, start=1):
        here = [_Section(0, 0, headings), *sections.get(number, ())]
        ends = [*(section.start for section in here[1:]), len(page)]
        for section, end in zip(here, ends, strict=True):
            yield from _section_blocks(page, section, end, offset, number)
        headings = here[-1].headings
        offset += len(page) + len(PAGE_SEPARATOR)


def _section_blocks(page: str, section: _Section, end: int, offset: int, number: int) -> Iterator[Block]:
    start, middle = offset + section.start, offset + section.heading_end
    if start < middle:
        yield Block(start, middle, BlockKind.HEADING, section.headings, number)
    for left, right in paragraph_spans(page, section.heading_end, end):
        for first, last, kind in _kinds(page, left, right):
            yield Block(offset + first, offset + last, kind, section.headings, number)


def _kinds(page: str, start: int, end: int) -> Iterator[tuple[int, int, BlockKind]]:
    """Divides a paragraph where a table begins or ends in it."""
    lines = page[start:end].split("\n")
    begins = list(accumulate((len(line) + 1 for line in lines), initial=start))
    place = 0
    for first, last in [*table_spans(lines), (len(lines), len(lines))]:
        for begin, after, kind in ((place, first, BlockKind.PROSE), (first, last, BlockKind.TABLE)):
            if begin < after:
                yield begins[begin], begins[after] - 1, kind
        place = last


def _sections(pages: Sequence[str], outline: Sequence[OutlineEntry]) -> dict[int, list[_Section]]:
    sections: dict[int, list[_Section]] = {}
    for page, headings in sorted(_paths(outline), key=lambda entry: entry[0]):
        if page > len(pages):
            break
        here = sections.setdefault(page, [])
        after = here[-1].heading_end if here else 0
        start, heading_end = _find_heading(pages[page - 1], headings[-1], after)
        here.append(_Section(start, heading_end, headings))
    return sections


def _paths(outline: Sequence[OutlineEntry]) -> Iterator[tuple[int, tuple[str, ...]]]:
    path: list[tuple[int, str]] = []
    for entry in outline:
        while path and path[-1][0] >= entry.depth:
            path.pop()
        if title := " ".join(entry.title.split()):
            path.append((entry.depth, title))
            yield entry.page, tuple(title for _, title in path)


def _find_heading(page: str, title: str, after: int) -> tuple[int, int]:
    """Finds a title at the start of a line, whatever stands between its letters: spaces, line breaks, other dashes."""
    letters = re.findall(r"\w", unicodedata.normalize("NFKC", title))[:_MAX_SOUGHT_CHARS]
    if not letters:
        return after, after
    pattern = r"^[^\w\n]*(?P<heading>" + _NUMBERING + r"[\W_]*".join(letters) + ")"
    alone = re.compile(pattern + r"[^\w\n]*$", re.MULTILINE | re.IGNORECASE).search(page, after)
    if alone:
        return alone.start("heading"), alone.end()
    match = re.compile(pattern, re.MULTILINE | re.IGNORECASE).search(page, after)
    return (match.start("heading"), match.start("heading")) if match else (after, after)
