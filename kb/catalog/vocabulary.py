"""How common terms are among the chunks and documents of a catalog, looked up once until the catalog changes.

For a common term of a large catalog that takes milliseconds, so its count outlives small changes.
"""

import math
from collections.abc import Iterable, Mapping

from kb.catalog.database import Database

_COMMON = 1000  # chunks
_DRIFT = 0.05


class Vocabulary:
    """Counts in one state of the full-text index.

    Args:
        database: Has the catalog's schema.
        before: That of an earlier state.
    """

    def __init__(self, database: Database, before: "Vocabulary | None" = None) -> None:
        self._database = database
        sql = "SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM documents) AS documents"
        self._chunks, self._documents = database.rows(sql)[0]
        self._counts: dict[str, int] = {}
        self._counted_at = self._chunks
        if before and abs(self._chunks - before._counted_at) <= _DRIFT * before._counted_at:
            counts = before._counts.copy()  # at once: another thread may be adding to it
            self._counts = {term: count for term, count in counts.items() if count >= _COMMON}
            self._counted_at = before._counted_at
        self._holders: dict[str, dict[str, int]] = {}

    def weights(self, terms: Iterable[str]) -> dict[str, float]:
        """How much each term says about a chunk: its inverse document frequency. One in no chunk is the rarest.

        Returns:
            Weights above 0, as FTS5 counts them: https://www.sqlite.org/fts5.html#the_bm25_function.
        """
        distinct = list(dict.fromkeys(terms))
        unknown = [term for term in distinct if term not in self._counts]
        sql = "SELECT term, doc FROM chunk_vocabulary WHERE term IN ({marks})"
        held = {row["term"]: row["doc"] for row in self._database.rows_in(sql, unknown)}
        self._counts |= {term: held.get(term, 0) for term in unknown}
        return {term: self._inverse_frequency(self._counts[term]) for term in distinct}

    def rarest(self, weights: Mapping[str, float], postings: int) -> list[str]:
        """The rarest terms, as long as no more chunks than this hold them together; one at least.

        Args:
            weights: From `weights`.
        """
        chosen: list[str] = []
        for term in sorted(weights, key=lambda term: self._counts[term]):
            postings -= self._counts[term]
            if postings < 0 and chosen:
                break
            chosen.append(term)
        return chosen

    def holders(self, term: str) -> dict[str, int]:
        """The documents that hold a term, with the number of their chunks that do."""
        if term not in self._holders:
            sql = (
                "SELECT document_id, count(*) AS chunks FROM chunk_terms JOIN chunks ON chunks.id = chunk_terms.rowid"
                " WHERE chunk_terms MATCH ? GROUP BY document_id"
            )
            rows = self._database.rows(sql, f'"{term}"')
            self._holders[term] = {row["document_id"]: row["chunks"] for row in rows}
        return self._holders[term]

    def telling(self, term: str) -> float:
        """How well a term tells documents apart: near 0 if all hold it, more the fewer do."""
        return math.log((self._documents + 1) / (len(self.holders(term)) + 0.5))

    def _inverse_frequency(self, holders: int) -> float:
        return max(1e-6, math.log((self._chunks - holders + 0.5) / (holders + 0.5)))
