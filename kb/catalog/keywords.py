"""Words in the catalog: which chunks hold the terms of a query, and which documents are about them.

Scores are shares in 0…1 of what a text would reach that held every term of the query, those included that no text
holds: so they mean the same for every query. Common terms of a large catalog are passed over; they cost the most time
and say the least.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from kb.catalog.database import Database
from kb.catalog.filters import select
from kb.catalog.vocabulary import Vocabulary
from kb.text.scripts import is_cjk
from kb.text.terms import search_terms
from kb.values.filters import EVERYTHING, Filters

POSTINGS_SEARCHED = 5_000
"""The rarest terms of a query are searched for until so many chunks hold them; in small catalogs these are all."""

POSTINGS_COUNTED = 2_000
"""The same for counting in how many chunks of a document a term stands."""

_BM25_LIMIT = 2.2  # what FTS5's BM25 comes near for a term that is repeated again and again, by its weight: k1 + 1
_HALF_ABOUT = 3  # a document with a term in so many of its chunks is half about it


class KeywordStore:
    """Lexical search over chunks: reads the full-text index.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._vocabulary: tuple[object, Vocabulary] | None = None

    def search(self, terms: Sequence[str], k: int, filters: Filters = EVERYTHING) -> list[tuple[int, float]]:
        """Finds the k best chunks by BM25.

        Args:
            terms: From `kb.text.terms.search_terms`.
            filters: Which documents are searched.

        Returns:
            Chunk ids with their share in 0…1 of the best score that any text could have, best first.
        """
        vocabulary = self._vocabulary_of_now()
        weights = vocabulary.weights(terms)
        sought = vocabulary.rarest(weights, POSTINGS_SEARCHED)
        if not sought:
            return []
        query = " OR ".join(map(_sought, sought))
        documents = select(self._database, filters)
        document = "(SELECT document_id FROM chunks WHERE chunks.id = chunk_terms.rowid)"
        passing = f"AND {document} IN (SELECT id FROM documents WHERE {documents.sql})" if filters else ""
        # Ordered by `rank`, FTS5 would weigh each chunk that has a term before it is asked which may be found.
        sql = (
            "SELECT rowid, bm25(chunk_terms) AS cost FROM chunk_terms"
            f" WHERE chunk_terms MATCH ? {passing} ORDER BY cost LIMIT ?"
        )
        best = _BM25_LIMIT * sum(weights.values())
        return [(row["rowid"], -row["cost"] / best) for row in self._database.rows(sql, query, *documents.values, k)]

    def search_in(self, document_id: str, terms: Sequence[str], k: int) -> dict[int, float]:
        """The k best chunks of one document, which lie side by side.

        Returns:
            Shares as those of `search`, by chunk.
        """
        vocabulary = self._vocabulary_of_now()
        weights = vocabulary.weights(terms)
        sql = (
            "SELECT rowid, bm25(chunk_terms) AS cost FROM chunk_terms WHERE chunk_terms MATCH ?1"
            " AND rowid BETWEEN (SELECT min(id) FROM chunks WHERE document_id = ?2)"
            " AND (SELECT max(id) FROM chunks WHERE document_id = ?2) ORDER BY cost LIMIT ?3"
        )
        best = _BM25_LIMIT * sum(weights.values())
        query = " OR ".join(map(_sought, vocabulary.rarest(weights, POSTINGS_SEARCHED)))
        return {row["rowid"]: -row["cost"] / best for row in self._database.rows(sql, query, document_id, k)}

    def weight(self, terms: Sequence[str]) -> float:
        """How much terms say about a chunk, together."""
        return sum(self._vocabulary_of_now().weights(terms).values())

    def document_shares(self, terms: Sequence[str], document_ids: Collection[str]) -> dict[str, float]:
        """How much of the query says which document is meant: one half for what it is about, one half for its name.

        Returns:
            Shares in 0…1, by document.
        """
        vocabulary = self._vocabulary_of_now()
        weights = vocabulary.weights(terms)
        named = {key: _named(name, weights) for key, name in self._names(document_ids).items()}
        about = _about(vocabulary, vocabulary.rarest(weights, POSTINGS_COUNTED), named)
        return {key: (about[key] + named[key]) / 2 for key in named}

    def name_shares(self, terms: Sequence[str], document_ids: Collection[str]) -> dict[str, float]:
        """How much of the query a chunk holds by the name of its document: of a note all, of a long document little.

        Returns:
            Shares in 0…1, by document: of the query, divided by the number of chunks that go by the name.
        """
        weights = self._vocabulary_of_now().weights(terms)
        sql = "SELECT document_id, max(ordinal) + 1 AS chunks FROM chunks WHERE document_id IN ({marks}) GROUP BY 1"
        chunks = {row["document_id"]: row["chunks"] for row in self._database.rows_in(sql, list(document_ids))}
        names = self._names([*chunks])
        return {key: share / chunks[key] for key, name in names.items() if (share := _named(name, weights))}

    def _names(self, document_ids: Collection[str]) -> dict[str, str]:
        sql = "SELECT id, title, source FROM documents WHERE id IN ({marks})"
        return {
            row["id"]: f"{row['title']}\n{row['source']}" for row in self._database.rows_in(sql, list(document_ids))
        }

    def opening(self, document_id: str, chunks: int) -> tuple[set[int], set[str]]:
        """What a document says of itself: the ids of so many chunks at its beginning; their terms and its name's."""
        sql = (
            "SELECT rowid, terms FROM chunk_terms WHERE rowid IN"
            " (SELECT id FROM chunks WHERE document_id = ? AND ordinal < ?)"
        )
        rows = self._database.rows(sql, document_id, chunks)
        named = self._database.rows("SELECT term FROM name_terms WHERE document_id = ?", document_id)
        terms = {row["term"] for row in named}.union(*(row["terms"].split() for row in rows))
        return {row["rowid"] for row in rows}, terms

    def holders(self, terms: Sequence[str]) -> dict[str, int]:
        """The documents of which a chunk holds all of some terms, with the number of such chunks."""
        if not terms:
            return {}
        sql = (
            "SELECT document_id, count(*) AS chunks FROM chunk_terms JOIN chunks ON chunks.id = chunk_terms.rowid"
            " WHERE chunk_terms MATCH ? GROUP BY document_id"
        )
        rows = self._database.rows(sql, " AND ".join(map(_sought, dict.fromkeys(terms))))
        return {row["document_id"]: row["chunks"] for row in rows}

    def _vocabulary_of_now(self) -> Vocabulary:
        """That of the state which this thread reads: whoever looks at an older one does not spoil it for the others."""
        newest = self._database.rows("SELECT max(id) FROM chunks")[0][0]
        state = (self._database.commits, newest)
        known = self._vocabulary
        if known is None or known[0] != state:
            known = self._vocabulary = state, Vocabulary(self._database, before=known[1] if known else None)
        return known[1]


def _sought(term: str) -> str:
    """How FTS5 looks for a term: a single Chinese character is the beginning of one."""
    return f'"{term}" *' if len(term) == 1 and is_cjk(term) else f'"{term}"'


def _about(vocabulary: Vocabulary, terms: Sequence[str], document_ids: Collection[str]) -> dict[str, float]:
    """What tells documents apart: terms that stand in few of them, and there in many chunks.

    A report names its company in fifty of its chunks, and is about that company in all the others, too.
    """
    parts: dict[str, dict[str, float]] = {key: {} for key in document_ids}
    for term in terms:
        holders = vocabulary.holders(term)
        for document_id in holders.keys() & parts.keys():
            parts[document_id][term] = holders[document_id] / (holders[document_id] + _HALF_ABOUT)
    telling = {term: vocabulary.telling(term) for term in terms}
    return {key: _share(part, telling) for key, part in parts.items()}


@lru_cache(maxsize=4096)
def _name_terms(name: str) -> frozenset[str]:
    return frozenset(search_terms(name))


def _named(name: str, weights: Mapping[str, float]) -> float:
    return _share(dict.fromkeys(_name_terms(name), 1.0), weights)


def _share(parts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    total = sum(weights.values())
    return sum(part * weights[term] for term, part in parts.items() if term in weights) / total if total else 0.0
