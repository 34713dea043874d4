"""Question → passages: dense and lexical hits, fused, neighbours merged, duplicates dropped.

Sees one state of the catalog per search; a vector hit without a row in that state is dropped. Knows nothing about
models beyond the ports, and nothing about answers.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.catalog import Catalog
from kb.ports import Embedder, VectorIndex
from kb.text import content_terms, search_terms
from kb.types import Chunk, Hit, Passage, PassagePart, StoredChunk

DEPTH = 50
"""Hits taken from each list before fusion."""

RRF_K = 60
"""Constant of reciprocal rank fusion, score = Σ 1 / (k + rank) (Cormack, Clarke and Büttcher 2009)."""

TRUSTED_COVERAGE = 0.5
"""Share of the query's content words in one of the best lexical hits from which the words have full weight."""

CHUNKS_PER_PASSAGE = 1.5
"""Passages grow together from this many chunks each on average; more would bring neighbours of little worth."""

_MAX_COPIES = 3
_CHUNKS_WEIGHED = 3
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Retriever:
    """Finds passages in a catalog and its vector index; without an index, by their words alone."""

    catalog: Catalog
    embedder: Embedder
    index: VectorIndex | None

    def passages(self, query: str, top_k: int) -> tuple[Passage, ...]:
        """Finds the passages that best fit a query.

        Args:
            query: In any language that the embedding model knows.
            top_k: How many passages at the most.

        Returns:
            Best first, numbered from 1.
        """
        vector = self.embedder.embed_query(query)
        for attempt in range(1, _ATTEMPTS + 1):
            dense = self.index.search(vector, DEPTH) if self.index else []
            with self.catalog.snapshot():
                similarities = self._chunk_similarities(dense)
                # A document was swapped between the two looks: look again, rather than miss its new version.
                if len(similarities) < len(dense) and attempt < _ATTEMPTS:
                    continue
                return self._passages(query, similarities, top_k)
        return ()

    def _passages(self, query: str, similarities: Mapping[int, float], top_k: int) -> tuple[Passage, ...]:
        chunks = math.ceil(top_k * CHUNKS_PER_PASSAGE)
        hits = _drop_copies(self._hits(query, similarities, chunks * _MAX_COPIES))[:chunks]
        groups = _merge_neighbours(hits, top_k)
        return tuple(self._passage(number, group) for number, group in enumerate(groups, start=1))

    def _hits(self, query: str, similarities: Mapping[int, float], limit: int) -> list[Hit]:
        lexical = [chunk_id for chunk_id, _ in self.catalog.search_keywords(search_terms(query), DEPTH)]
        scores = reciprocal_rank_fusion([(list(similarities), 1.0), (lexical, self._lexical_weight(query, lexical))])
        best = heapq.nlargest(limit, scores, key=scores.__getitem__)
        chunks = self.catalog.chunks(best)
        return [Hit(chunks[chunk_id], scores[chunk_id], similarities.get(chunk_id)) for chunk_id in best]

    def _lexical_weight(self, query: str, lexical: Sequence[int]) -> float:
        """How far the words can be trusted: fully, unless even the best hits hold few of the query's content words.

        That is so where query and documents are in different languages; at full weight, chance words then push the
        right passages out. Recall@1 on XQuAD, 250 questions each, without and with this weight: English questions on
        Chinese paragraphs 0.44 and 0.65, the reverse 0.68 and 0.71, English 0.93 and 0.93, Chinese 0.90 and 0.89.
        """
        terms = set(content_terms(query))
        best = self.catalog.chunks(lexical[:_CHUNKS_WEIGHED]).values()
        held = [len(terms.intersection(content_terms(_searchable(stored.chunk)))) for stored in best]
        coverage = max(held, default=0) / len(terms) if terms else 1.0
        return min(1.0, coverage / TRUSTED_COVERAGE) ** 2

    def _chunk_similarities(self, dense: Sequence[tuple[str, float]]) -> dict[int, float]:
        keys = [split_vector_id(vector_id) for vector_id, _ in dense]
        ids = self.catalog.chunk_ids(keys)
        return {ids[key]: similarity for key, (_, similarity) in zip(keys, dense, strict=True) if key in ids}

    def _passage(self, number: int, hits: Sequence[Hit]) -> Passage:
        hits = sorted(hits, key=lambda hit: hit.chunk.ordinal)
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
            score=max(hit.score for hit in hits),
            similarity=max((hit.similarity for hit in hits if hit.similarity is not None), default=None),
        )


def reciprocal_rank_fusion(rankings: Iterable[tuple[Sequence[int], float]]) -> dict[int, float]:
    """Fuses rankings: what stands high in several of them comes first.

    Args:
        rankings: Ids, best first, each at most once in a ranking, with the weight of the ranking.

    Returns:
        A score for each id, larger is better.
    """
    scores: dict[int, float] = {}
    for ranking, weight in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + weight / (RRF_K + rank)
    return scores


def vector_id(document_id: str, text_hash: str) -> str:
    """The id of a chunk in the vector index: equal texts in one document share it."""
    return f"{document_id}:{text_hash}"


def split_vector_id(key: str) -> tuple[str, str]:
    """Document id and text hash of an id in the vector index."""
    document_id, _, text_hash = key.partition(":")
    return document_id, text_hash


def _drop_copies(hits: Iterable[Hit]) -> list[Hit]:
    first_of: dict[str, Hit] = {}
    for hit in hits:
        first_of.setdefault(" ".join(hit.chunk.chunk.text.split()), hit)
    return list(first_of.values())


def _merge_neighbours(hits: Iterable[Hit], limit: int) -> list[list[Hit]]:
    groups: list[list[Hit]] = []
    for hit in hits:
        beside = [group for group in groups if any(_are_neighbours(hit.chunk, other.chunk) for other in group)]
        if beside:
            beside[0].append(hit)
            for group in beside[1:]:
                beside[0].extend(group)
                groups.remove(group)
        elif len(groups) < limit:
            groups.append([hit])
    return groups


def _are_neighbours(one: StoredChunk, other: StoredChunk) -> bool:
    return one.document_id == other.document_id and abs(one.ordinal - other.ordinal) == 1


def _searchable(chunk: Chunk) -> str:
    return f"{chunk.context}\n{chunk.text}"


def _part(hit: Hit) -> PassagePart:
    chunk = hit.chunk.chunk
    return PassagePart(chunk.start, chunk.end, chunk.page, chunk.headings, hit.score)
