"""The passages of a section that say most of what it says: as much of it as a small model reads well. Pure.

Chosen by the vectors that the search has of them anyway: what is near to all of the section, and not near to what is
chosen already (maximal marginal relevance, Carbonell and Goldstein 1998), prose before tables.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from kb.ports import Vectors
from kb.values.passages import Passage, PassagePart, StoredChunk

BUDGET_TOKENS = 260
"""Of the embedding model."""

_NEWNESS = 0.5  # how much nearness to what is chosen takes away
_PROSE = 0.1  # the most that a chunk gains by being prose; cosines of one document differ by about as much
_LEAD = 0.02  # what the first chunk gains
_WORD_CHARACTER = re.compile(r"[^\W\d_]")


def key_passages(chunks: Sequence[StoredChunk], vectors: Mapping[int, Vectors]) -> tuple[Passage, ...]:
    """Chooses.

    Args:
        chunks: Of one section, in order.
        vectors: `(d,) float32`, unit norm, by id of the chunk; those without are chosen last.

    Returns:
        One for each chunk chosen, in order, numbered from 1.
    """
    order = _by_importance(chunks, vectors)
    chosen: list[StoredChunk] = []
    room = BUDGET_TOKENS
    for stored in order:
        if stored.chunk.tokens <= room or not chosen:
            chosen.append(stored)
            room -= stored.chunk.tokens
    return tuple(map(passage_of, range(1, len(chosen) + 1), sorted(chosen, key=lambda stored: stored.ordinal)))


def passage_of(number: int, stored: StoredChunk) -> Passage:
    """A chunk as a passage of its own."""
    chunk = stored.chunk
    part = PassagePart(chunk.start, chunk.end, chunk.page, chunk.headings, page_label=chunk.page_label)
    return Passage(
        number=number,
        document_id=stored.document_id,
        title=stored.title,
        source=stored.source,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        parts=(part,),
        score=1.0,
    )


def _by_importance(chunks: Sequence[StoredChunk], vectors: Mapping[int, Vectors]) -> list[StoredChunk]:
    known = [stored for stored in chunks if stored.id in vectors]
    if not known:
        return list(chunks)
    matrix = np.stack([vectors[stored.id] for stored in known])
    centre = matrix.mean(axis=0)
    worth = matrix @ (centre / (np.linalg.norm(centre) or 1.0))
    worth += [_PROSE * _prose_share(stored.chunk.text) for stored in known]
    worth[0] += _LEAD
    said = np.zeros(len(known))
    order: list[StoredChunk] = []
    while len(order) < len(known):
        best = int((worth - _NEWNESS * said).argmax())
        order.append(known[best])
        said = np.maximum(said, matrix @ matrix[best])
        worth[best] = -np.inf
    return order + [stored for stored in chunks if stored.id not in vectors]


def _prose_share(text: str) -> float:
    """The share of letters in what is no white space: low in tables of numbers, in code and in lists of contents."""
    solid = "".join(text.split())
    return len(_WORD_CHARACTER.findall(solid)) / max(len(solid), 1)
