"""The names of documents, title and path, as terms: so that a note is found by what is only in its name.

Names are not embedded and stand in no chunk, so that a rename costs nothing.
"""

import math
from collections.abc import Collection, Iterator, Sequence

from kb.catalog.database import Connection, Database
from kb.catalog.filters import select
from kb.catalog.links import write_file_name
from kb.text.terms import search_terms
from kb.values.filters import EVERYTHING, Filters

MAX_HOLDERS = 50
"""A term that stands in the names of more documents, as that of a folder may, tells none of them apart."""

MAX_NAMED_DOCUMENTS = 10
MAX_CHUNKS_EACH = 20


class NameStore:
    """Reads the names of a catalog.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def chunks_of_named(self, terms: Sequence[str], filters: Filters = EVERYTHING) -> list[int]:
        """The first chunks of those documents whose names hold most terms of a query.

        Args:
            terms: From `kb.text.terms.content_terms`.
            filters: Which documents are searched.
        """
        held: dict[str, int] = {}
        for term in dict.fromkeys(terms):
            sql = "SELECT document_id FROM name_terms WHERE term = ? LIMIT ?"
            holders = [str(row["document_id"]) for row in self._database.rows(sql, term, MAX_HOLDERS + 1)]
            if len(holders) <= MAX_HOLDERS:
                held |= {key: held.get(key, 0) + 1 for key in holders}
        named = sorted(held, key=lambda key: (-held[key], key))[:MAX_NAMED_DOCUMENTS]
        documents = select(self._database, filters)
        marks = ", ".join("?" * len(named))
        sql = f"SELECT id FROM chunks WHERE ordinal < ? AND document_id IN ({marks}) AND {documents.of_chunks}"
        return [row["id"] for row in self._database.rows(sql, MAX_CHUNKS_EACH, *named, *documents.values)]

    def shares(self, terms: Sequence[str], among: Collection[str]) -> dict[str, float]:
        """How much of a question names each document: what few names have says more.

        Args:
            terms: From `kb.text.terms.content_terms`.
            among: Ids of the documents that count.

        Returns:
            More than 0, by document; those that are not named are missing.
        """
        shares: dict[str, float] = {}
        for holders in self._holders(terms, among):
            shares |= {key: shares.get(key, 0.0) + math.log((1 + len(among)) / len(holders)) for key in holders}
        return shares

    def held(self, terms: Sequence[str], among: Collection[str]) -> dict[str, int]:
        """How many of some terms each name has; documents whose names have none are missing."""
        held: dict[str, int] = {}
        for holders in self._holders(terms, among):
            held |= {key: held.get(key, 0) + 1 for key in holders}
        return held

    def _holders(self, terms: Sequence[str], among: Collection[str]) -> Iterator[set[str]]:
        for term in dict.fromkeys(terms):
            rows = self._database.rows("SELECT document_id FROM name_terms WHERE term = ?", term)
            yield {str(row["document_id"]) for row in rows}.intersection(among)


def write_name(connection: Connection, document_id: str, title: str, source: str) -> None:
    """Notes what a document is called now, for who searches and for links, as part of a transaction."""
    connection.execute("DELETE FROM name_terms WHERE document_id = ?", (document_id,))
    terms = dict.fromkeys(search_terms(f"{title}\n{source}"))
    connection.executemany("INSERT INTO name_terms VALUES (?, ?)", [(term, document_id) for term in terms])
    write_file_name(connection, document_id, source)
