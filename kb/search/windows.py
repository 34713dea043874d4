"""Hits → passages: copies dropped, each hit shown with what stands around it, no document alone.

Small pieces are found, their section is shown. Knows the catalog only as a function that gives the chunks around one.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kb.values.passages import Hit, StoredChunk

SHOWN_TOKENS = 240
"""A hit is shown with its neighbours in the section up to this length, in tokens of the embedding model."""

MAX_PASSAGE_TOKENS = 480
"""Windows around hits that lie side by side grow together up to this length."""

DOCUMENT_SHARE = 0.6
"""No document has more of the passages than this, as long as others have any."""

COPY_SIMILARITY = 0.95
"""Two texts with the same figures are copies if they share so much of their shingles (Jaccard)."""

REACH = 6
"""Chunks to either side of a hit that are looked at."""

_SHINGLE_CHARS = 4
_FIGURES = re.compile(r"\d+")

Around = Callable[[StoredChunk, int], Sequence[StoredChunk]]


@dataclass(slots=True)
class Window:
    """A run of neighbouring chunks of one document.

    Attributes:
        score: Of its best hit.
        chunks: By ordinal, without a gap.
    """

    document_id: str
    score: float
    chunks: dict[int, StoredChunk] = field(default_factory=dict)

    @property
    def in_order(self) -> list[StoredChunk]:
        """The chunks as they stand in the document."""
        return [self.chunks[ordinal] for ordinal in sorted(self.chunks)]


def windows(hits: Iterable[Hit], limit: int, around: Around) -> list[Window]:
    """Chooses what to show.

    Args:
        hits: Best first.
        limit: How many windows at the most.
        around: Gives a chunk with so many others to either side of it, in order.

    Returns:
        Best first; they do not overlap.
    """
    share = math.ceil(DOCUMENT_SHARE * limit)
    chosen: list[Window] = []
    postponed: list[Hit] = []
    for hit in _without_copies(hits):
        if len(chosen) == limit:
            break
        if sum(window.document_id == hit.chunk.document_id for window in chosen) < share:
            _show(hit, chosen, around)
        else:
            postponed.append(hit)
    for hit in postponed:
        if len(chosen) == limit:
            break
        _show(hit, chosen, around)
    return sorted(chosen, key=lambda window: -window.score)


def _show(hit: Hit, chosen: list[Window], around: Around) -> None:
    """Adds a window, or widens one that lies beside it; what is shown already is left where it is."""
    of_document = [window for window in chosen if window.document_id == hit.chunk.document_id]
    shown = {ordinal for window in of_document for ordinal in window.chunks}
    place = hit.chunk.ordinal
    if place in shown:
        return
    before = max((ordinal for ordinal in shown if ordinal < place), default=-1)
    behind = min((ordinal for ordinal in shown if ordinal > place), default=math.inf)
    new = Window(hit.chunk.document_id, hit.score)
    new.chunks = {chunk.ordinal: chunk for chunk in _section(hit.chunk, around) if before < chunk.ordinal < behind}
    for window in of_document:
        if _touch(window, new) and _tokens(window) + _tokens(new) <= MAX_PASSAGE_TOKENS:
            window.chunks |= new.chunks
            return
    chosen.append(new)


def _section(hit: StoredChunk, around: Around) -> list[StoredChunk]:
    """The chunk and its neighbours under the same heading, after it and before it by turns, as many as may be shown."""
    chunks = around(hit, REACH)
    place = next(n for n, chunk in enumerate(chunks) if chunk.ordinal == hit.ordinal)
    first = last = place
    room = SHOWN_TOKENS - hit.chunk.tokens
    grows = True
    while grows:
        grows = False
        for step in (1, -1):
            nearest = last + 1 if step > 0 else first - 1
            if not 0 <= nearest < len(chunks) or chunks[nearest].chunk.headings != hit.chunk.headings:
                continue
            if chunks[nearest].chunk.tokens <= room:
                room -= chunks[nearest].chunk.tokens
                first, last = min(first, nearest), max(last, nearest)
                grows = True
    return list(chunks[first : last + 1])


def _touch(one: Window, other: Window) -> bool:
    return min(other.chunks) - max(one.chunks) == 1 or min(one.chunks) - max(other.chunks) == 1


def _tokens(window: Window) -> int:
    return sum(chunk.chunk.tokens for chunk in window.chunks.values())


def _without_copies(hits: Iterable[Hit]) -> Iterator[Hit]:
    seen: list[tuple[list[str], frozenset[str]]] = []
    for hit in hits:
        text = hit.chunk.chunk.text
        figures, shingles = _FIGURES.findall(text), _shingles(text)
        if not any(figures == others and _jaccard(shingles, known) >= COPY_SIMILARITY for others, known in seen):
            seen.append((figures, shingles))
            yield hit


def _shingles(text: str) -> frozenset[str]:
    """All runs of so many letters and digits (Broder 1997); a text that is shorter is one."""
    plain = "".join(filter(str.isalnum, text.casefold()))
    return frozenset(plain[i : i + _SHINGLE_CHARS] for i in range(max(1, len(plain) - _SHINGLE_CHARS + 1)))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
