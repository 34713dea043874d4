"""A vector → the chunks that are nearest in meaning, of the documents that pass the filters.

The index knows no filters, so it is asked for more than is wanted. Where it would have to give more than there are
chunks to choose from, these are compared one by one by their embeddings in the catalog. Knows nothing about words.
"""

import heapq

from kb.catalog.catalog import Catalog
from kb.ports import VectorIndex, Vectors
from kb.values.filters import EVERYTHING, Filters

SPARE = 2
"""The index is asked for so many times as many as should do if those that pass were spread evenly."""

RESULTS_PER_COMPARISON = 4
"""A comparison costs as much as so many results of the index: 36 against 8 µs at 100,000 chunks, on one core."""

_DEEPER = 4


def nearest(
    catalog: Catalog,
    index: VectorIndex | None,
    space: str,
    vector: Vectors,
    k: int,
    filters: Filters = EVERYTHING,
) -> list[tuple[str, float]]:
    """Finds the k nearest chunks.

    What is cheaper decides: results of the index, or comparisons. With k = 50 and 100,000 chunks the one are at most
    6,300 and the other 1,600; only if most of what is near does not pass, as with a question in another language than
    the chosen documents, more is looked at.

    Args:
        index: None: nothing is found.
        space: Key of the space in which vector and index lie.
        vector: `(d,) float32`, unit norm.
        filters: Which documents are searched.

    Returns:
        Ids as `vector_id` makes them, with their cosine in -1…1, nearest first. What the catalog has lost since the
        index got it may be among them.
    """
    if index is None:
        return []
    if not filters:
        return index.search(vector, k)
    with catalog.snapshot():
        chunk_counts = catalog.chunks.counts(filters)
        passing = sum(chunk_counts.values())
        asked = SPARE * k * catalog.counts()[1] // max(passing, 1)
        while asked < RESULTS_PER_COMPARISON * passing:
            hits = index.search(vector, asked)
            found = [hit for hit in hits if split_vector_id(hit[0])[0] in chunk_counts]
            if len(found) >= k:
                return found[:k]
            asked *= _DEEPER
        return _compared(catalog, space, list(chunk_counts), vector, k)


def vector_id(document_id: str, text_hash: str) -> str:
    """The id of a chunk in the vector index: equal texts in one document share it."""
    return f"{document_id}:{text_hash}"


def split_vector_id(key: str) -> tuple[str, str]:
    """Document id and text hash of an id in the vector index."""
    document_id, _, text_hash = key.partition(":")
    return document_id, text_hash


def _compared(
    catalog: Catalog, space: str, document_ids: list[str], vector: Vectors, k: int
) -> list[tuple[str, float]]:
    best: list[tuple[str, float]] = []
    for keys, vectors in catalog.embeddings.of_documents(space, document_ids):
        hits = zip((vector_id(*key) for key in keys), (vectors @ vector).tolist(), strict=True)
        best = heapq.nlargest(k, [*best, *hits], key=lambda hit: hit[1])
    return best
