"""Hits in the order of a reranker, which reads the best of them once more, each together with the question.

Knows the port and no model. A reranker that is not there, or fails, changes nothing: searches go on without it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kb.errors import KBError
from kb.models.loading import Loading, LoadState
from kb.ports import Reranker
from kb.values.documents import Chunk
from kb.values.passages import Hit

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reranking:
    """Puts hits in order with the reranker of the moment.

    Attributes:
        depth: How many hits it reads; so many should be found for it.
        reranker: Gives the reranker, without waiting; None while there is none.
    """

    depth: int = 0
    reranker: Callable[[], Reranker | None] = lambda: None

    def order(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """Puts the first hits into the order of the reranker, if it is there. See `rerank`."""
        return rerank(self.reranker(), query, hits, self.depth)


NO_RERANKING = Reranking()


def reranking_with(reranker: Loading[Reranker], depth: int) -> Reranking:
    """Reranks with what is loaded; searches do not wait for it, and the first one begins to load it.

    Args:
        depth: How many hits it reads.
    """

    def get() -> Reranker | None:
        if reranker.status.state is LoadState.WAITING:
            reranker.start()
        return reranker.get()

    return Reranking(depth, get)


def rerank(reranker: Reranker | None, query: str, hits: Sequence[Hit], depth: int) -> list[Hit]:
    """Puts the first hits into the order of a reranker.

    The scores stay where they are, and the hits change places: so a score still says how far a rank is above the next,
    and those that were not read stay behind, comparable with the rest. A reranker's own numbers are not: each model
    has a scale of its own.

    Args:
        reranker: None: the hits stay as they are.
        query: The question.
        hits: Best first.
        depth: How many of them are read, at least 0.

    Returns:
        The same chunks, best first.
    """
    read, rest = hits[:depth], hits[depth:]
    if reranker is None or len(read) < 2:
        return list(hits)
    try:
        scores = reranker.scores(query, [_readable(hit.chunk.chunk) for hit in read])
    except KBError as error:
        logger.warning("the order is that of the search: %s", error.message)
        return list(hits)
    order = sorted(range(len(read)), key=lambda rank: -scores[rank])
    return [*(replace(read[rank], score=hit.score) for rank, hit in zip(order, read, strict=True)), *rest]


def _readable(chunk: Chunk) -> str:
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text
