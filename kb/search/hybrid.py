"""Question → passages: dense and lexical hits, fused, and shown with what stands around them.

Sees one state of the catalog per search; a vector hit without a row in that state is dropped. Knows nothing about
models beyond the ports, and nothing about answers.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kb.catalog.catalog import Catalog
from kb.ports import Embedder, VectorIndex, Vectors
from kb.search.candidates import DEPTH, gather
from kb.search.dense import nearest, split_vector_id
from kb.search.fusion import fuse, said_by_words
from kb.search.languages import LanguageBalance
from kb.search.query_vectors import QueryVectors
from kb.search.reranking import NO_RERANKING, Reranking
from kb.search.stopwatch import part
from kb.search.windows import Window, windows
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Hit, Passage, PassagePart, StoredChunk

_HITS_PER_PASSAGE = 4  # copies are dropped, and hits side by side are shown as one
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class HybridSearch:
    """Finds passages in a catalog and its vector index; without an index, by their words.

    Attributes:
        space: Key of the space of embedder and index.
        balance: Of the languages; None: they are left as the embedder sees them.
        reranking: Has the last word on the order.
        vectors: Of the last queries.
    """

    catalog: Catalog
    space: str
    embedder: Embedder
    index: VectorIndex | None
    balance: LanguageBalance | None = None
    reranking: Reranking = NO_RERANKING
    vectors: QueryVectors = field(default_factory=QueryVectors)

    def passages(self, query: str, top_k: int, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds the passages that best fit a query.

        Args:
            query: In any language that the embedding model knows.
            top_k: How many passages at the most.
            filters: Which documents are searched.

        Returns:
            Best first, numbered from 1.
        """
        with part("embed"):
            vector = self.vectors.of(self.embedder, query)
        centred = self.balance.centred(vector) if self.balance else vector
        for attempt in range(1, _ATTEMPTS + 1):
            with part("dense"):
                near = nearest(self.catalog, self.index, self.space, centred, DEPTH, filters)
            with self.catalog.snapshot():
                dense = self.catalog.chunks.ids([split_vector_id(vector_id) for vector_id, _ in near]).values()
                # A document was swapped between the two looks: look again, rather than miss its new version.
                if len(dense) < len(near) and attempt < _ATTEMPTS:
                    continue
                return self._passages(query, vector, dense, top_k, filters)
        return ()

    def _passages(
        self, query: str, vector: Vectors, dense: Collection[int], top_k: int, filters: Filters
    ) -> tuple[Passage, ...]:
        limit = max(top_k * _HITS_PER_PASSAGE, self.reranking.depth)
        versions = self.catalog.versions.among(filters)
        hits = self._hits(query, vector, dense, limit, filters, versions.newest)
        with part("rerank"):
            hits = self.reranking.order(query, hits)
        found = {hit.chunk.id: hit for hit in hits}
        chosen = windows(hits, top_k, self.catalog.chunks.around)
        self._add_neighbours(found, chosen, vector)
        return tuple(
            replace(self._passage(number, window, found), older_versions=versions.older.get(window.document_id, ()))
            for number, window in enumerate(chosen, start=1)
        )

    def _hits(
        self,
        query: str,
        vector: Vectors,
        dense: Collection[int],
        limit: int,
        filters: Filters,
        outdated: Collection[str],
    ) -> list[Hit]:
        with part("lexical"):
            found = gather(self.catalog, query, dense, filters, outdated)
        nearness = self._nearness(found.document_ids, vector)
        balanced = {key: near.balanced for key, near in nearness.items()}
        scores = fuse(balanced, found.lexical, found.documents, found.newness, found.meant)
        chunks = self._best_chunks(scores, limit)
        return [
            Hit(
                chunk,
                scores[key],
                nearness[key].similarity if key in nearness else None,
                said_by_words(key, found.said, found.documents),
            )
            for key, chunk in chunks.items()
        ]

    def _best_chunks(self, scores: Mapping[int, float], limit: int) -> dict[int, StoredChunk]:
        """The chunks with the best scores, best first.

        Where most are copies, as in a long text that says one thing again and again, so many more that there are enough
        others: all of them would be shown as one passage.
        """
        ordered = sorted(scores, key=scores.__getitem__, reverse=True)
        best: dict[int, StoredChunk] = {}
        for first in range(0, len(ordered), limit):
            chunks = self.catalog.chunks.by_id(ordered[first : first + limit])
            best |= {key: chunks[key] for key in ordered[first : first + limit]}
            if len({chunk.chunk.text for chunk in best.values()}) >= limit / _HITS_PER_PASSAGE:
                break
        return best

    def _add_neighbours(self, found: dict[int, Hit], chosen: Sequence[Window], vector: Vectors) -> None:
        """Scores what is shown though it was no hit, by its nearness alone."""
        neighbours = {chunk.id: chunk for window in chosen for chunk in window.chunks.values() if chunk.id not in found}
        nearness = self._nearness(neighbours, vector)
        for key, chunk in neighbours.items():
            near = nearness.get(key)
            found[key] = Hit(chunk, near.balanced, near.similarity) if near else Hit(chunk, 0.0, None)

    def _nearness(self, chunk_ids: Collection[int], vector: Vectors) -> dict[int, "_Nearness"]:
        """How near chunks are to a question; those without a stored vector are missing."""
        ids, vectors = self.catalog.embeddings.of_chunks(self.space, list(chunk_ids))
        if not ids:
            return {}
        similarities = vectors @ vector
        balanced = similarities + self.balance.gain(vector, vectors) if self.balance else similarities
        return dict(zip(ids, map(_Nearness, similarities.tolist(), balanced.tolist()), strict=True))

    def _passage(self, number: int, window: Window, found: Mapping[int, Hit]) -> Passage:
        hits = [found[chunk.id] for chunk in window.in_order]
        first, last = hits[0].chunk, hits[-1].chunk
        return Passage(
            number=number,
            document_id=first.document_id,
            title=first.title,
            source=first.source,
            text=self.catalog.text(first.document_id, first.chunk.start, last.chunk.end) or "",
            start=first.chunk.start,
            end=last.chunk.end,
            parts=tuple(map(_part, hits)),
            score=window.score,
            similarity=max((hit.similarity for hit in hits if hit.similarity is not None), default=None),
            words=max(hit.words for hit in hits),
        )


@dataclass(frozen=True, slots=True)
class _Nearness:
    """How near a chunk is to a question.

    Attributes:
        similarity: Their cosine in -1…1.
        balanced: The same, with what it gains for its language.
    """

    similarity: float
    balanced: float


def _part(hit: Hit) -> PassagePart:
    chunk = hit.chunk.chunk
    return PassagePart(chunk.start, chunk.end, chunk.page, chunk.headings, hit.score, chunk.page_label, chunk.by_ocr)
