"""The chunks of the documents, each with its text, which is a stretch of its document's."""

from collections.abc import Iterable, Sequence

from kb.catalog.database import Database, Row
from kb.catalog.filters import select
from kb.catalog.rows import CHUNKS, stored_chunk, stretch
from kb.values.filters import Filters
from kb.values.passages import StoredChunk


class ChunkStore:
    """Reads the chunks of a catalog.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_id(self, ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Chunks by id; those that are gone are missing."""
        with self._database.snapshot():
            rows = self._database.rows_in(CHUNKS + " WHERE chunks.id IN ({marks})", list(ids))
            return {chunk.id: chunk for chunk in self._stored_chunks(rows)}

    def of_document(self, document_id: str) -> list[StoredChunk]:
        """All chunks of a document, in its order."""
        with self._database.snapshot():
            rows = self._database.rows(CHUNKS + " WHERE document_id = ? ORDER BY ordinal", document_id)
            return self._stored_chunks(rows)

    def around(self, chunk: StoredChunk, reach: int) -> list[StoredChunk]:
        """A chunk with up to `reach` others to either side of it, in the order of the document."""
        sql = CHUNKS + " WHERE document_id = ? AND ordinal BETWEEN ? AND ? ORDER BY ordinal"
        first, last = chunk.ordinal - reach, chunk.ordinal + reach
        with self._database.snapshot():
            return self._stored_chunks(self._database.rows(sql, chunk.document_id, first, last))

    def ids(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The first chunk of each pair of document id and text hash; pairs without a chunk are missing."""
        sql = (
            "SELECT document_id, text_hash, min(id) AS id FROM chunks WHERE text_hash IN ({marks})"
            " GROUP BY document_id, text_hash"
        )
        rows = self._database.rows_in(sql, list({text_hash for _, text_hash in keys}))
        found = {(row["document_id"], row["text_hash"]): int(row["id"]) for row in rows}
        return {key: found[key] for key in keys if key in found}

    def keys(self, document_id: str | None = None) -> set[tuple[str, str]]:
        """Pairs of document id and text hash of all chunks, or of one document's."""
        sql = "SELECT DISTINCT document_id, text_hash FROM chunks WHERE ?1 IS NULL OR document_id = ?1"
        return {(row["document_id"], row["text_hash"]) for row in self._database.rows(sql, document_id)}

    def keys_of(self, hashes: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs of document id and text hash of the chunks with these texts."""
        sql = "SELECT DISTINCT document_id, text_hash FROM chunks WHERE text_hash IN ({marks})"
        rows = self._database.rows_in(sql, list(set(hashes)))
        return [(row["document_id"], row["text_hash"]) for row in rows]

    def counts(self, filters: Filters) -> dict[str, int]:
        """Ids of the documents that pass, with how many chunks each has."""
        documents = select(self._database, filters)
        sql = "SELECT id, (SELECT count(*) FROM chunks WHERE document_id = documents.id) AS chunks FROM documents"
        rows = self._database.rows(f"{sql} WHERE {documents.sql}", *documents.values)
        return {row["id"]: row["chunks"] for row in rows}

    def holders(self, chunk_ids: Sequence[int]) -> dict[int, str]:
        """The id of the document that holds each chunk; chunks that are gone are missing."""
        rows = self._database.rows_in("SELECT id, document_id FROM chunks WHERE id IN ({marks})", list(chunk_ids))
        return {row["id"]: row["document_id"] for row in rows}

    def _stored_chunks(self, rows: Iterable[Row]) -> list[StoredChunk]:
        """Reads of each document one stretch, from the first chunk to the last.

        The time goes into what becomes a Python string: of a text of 5 MB, the whole takes 5 ms, a chunk with its
        neighbours 0.5 ms, and 20 chunks one by one 20 ms.
        """
        found = list(rows)
        starts: dict[str, int] = {}
        ends: dict[str, int] = {}
        for row in found:
            key = row["document_id"]
            starts[key] = min(row["start_char"], starts.get(key, row["start_char"]))
            ends[key] = max(row["end_char"], ends.get(key, 0))
        texts = {key: stretch(self._database, key, start, ends[key]) or "" for key, start in starts.items()}
        return [stored_chunk(row, texts[row["document_id"]], starts[row["document_id"]]) for row in found]
