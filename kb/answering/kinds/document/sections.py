"""The chunks of a document → its sections, each of which is read as one. Pure.

A section ends where a heading or a page begins. The sections of a longer document are longer, so that their number
grows with the root of its length: some four of a leaflet, thirty of 60 pages, sixty of 260.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from kb.values.passages import StoredChunk, heading_path

LEAST_TOKENS = 240
"""No section is cut shorter than that, unless more of them are wanted; in tokens of the embedding model."""

_MOST_NAMED = 3
_GROWTH_TOKENS = 30  # a section of a document of n tokens has the root of so many times n
_EARLY = 0.5  # a heading ends a section of this share of the length wanted
_LATE = 1.5  # and no heading or page is waited for beyond this


@dataclass(frozen=True, slots=True)
class Section:
    """A run of neighbouring chunks.

    Attributes:
        chunks: In the order of the document; one or more.
    """

    chunks: tuple[StoredChunk, ...]

    @property
    def headings(self) -> tuple[str, ...]:
        """The heading path that its chunks have in common."""
        paths = (stored.chunk.headings for stored in self.chunks)
        return tuple(level[0] for level in takewhile(lambda level: len(set(level)) == 1, zip(*paths, strict=False)))

    @property
    def pages(self) -> str:
        """Its pages, as `3` or `3–5`, by the numbers that are printed on them; empty in formats without pages."""
        first, last = self.chunks[0].chunk, self.chunks[-1].chunk
        if first.page is None or last.page is None:
            return ""
        begin, end = (each.page_label or str(each.page) for each in (first, last))
        return begin if begin == end else f"{begin}–{end}"

    @property
    def name(self) -> str:
        """What it is called within its document: its own heading, or those that it holds, or else its pages."""
        title = self.chunks[0].title
        if own := [each for each in self.headings if each != title]:
            return heading_path(own[-2:])
        depth = len(self.headings)
        below = dict.fromkeys(
            stored.chunk.headings[depth] for stored in self.chunks if len(stored.chunk.headings) > depth
        )
        return " / ".join(list(below)[:_MOST_NAMED]) or self.pages or title


def sections_of(chunks: Sequence[StoredChunk], at_least: int = 1) -> list[Section]:
    """Cuts a document.

    Args:
        chunks: All of it, in order.
        at_least: How many sections are wanted, as far as there is text for them.
    """
    total = sum(stored.chunk.tokens for stored in chunks)
    wanted = min(max(LEAST_TOKENS, math.sqrt(_GROWTH_TOKENS * total)), total / at_least)
    sections: list[list[StoredChunk]] = []
    held = 0
    for stored in chunks:
        if not sections or _ends(sections[-1][-1], stored, held / wanted):
            sections.append([])
            held = 0
        sections[-1].append(stored)
        held += stored.chunk.tokens
    if len(sections) > at_least and held < _EARLY * wanted:
        sections[-2:] = [sections[-2] + sections[-1]]
    return [Section(tuple(each)) for each in sections]


def _ends(before: StoredChunk, after: StoredChunk, share: float) -> bool:
    """Whether a section ends between two chunks, having this share of the length wanted."""
    if before.chunk.headings != after.chunk.headings:
        return share >= _EARLY
    return share >= (1.0 if before.chunk.page != after.chunk.page else _LATE)
