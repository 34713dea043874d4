"""The embeddings in the catalog, by space and hash of the text: each is computed once.

Knows no model. Chunks and embeddings are joined by the hash alone, so a text that stands in many places, or comes
back, has its vector already.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kb.catalog.database import Database
from kb.ports import Vectors

_ROWS_PER_DELETION = 5000
_DOCUMENTS_PER_READ = 200

_EMBEDDED = "EXISTS (SELECT 1 FROM embeddings WHERE identity = ? AND embeddings.text_hash = chunks.text_hash)"


class EmbeddingStore:
    """Reads and writes the table `embeddings`.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, space: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """Keeps vectors.

        Args:
            space: Key of the space.
            vectors: `(n, d) float32`, in the order of the hashes.
        """
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [(space, key, vector.astype("<f4").tobytes()) for key, vector in zip(hashes, vectors, strict=True)],
            )

    def get(self, space: str, hashes: Sequence[str]) -> Vectors:
        """Reads vectors back.

        Returns:
            `(n, d) float32` in the order of the hashes.

        Raises:
            KeyError: A hash has no vector.
        """
        sql = "SELECT text_hash, vector FROM embeddings WHERE identity = ? AND text_hash IN ({marks})"
        found = {row["text_hash"]: row["vector"] for row in self._database.rows_in(sql, list(set(hashes)), space)}
        return np.array([np.frombuffer(found[key], dtype="<f4") for key in hashes], dtype=np.float32)

    def of_chunks(self, space: str, chunk_ids: Sequence[int]) -> tuple[list[int], Vectors]:
        """Reads the vectors of chunks; those that have none are left out.

        Returns:
            Ids, and `(n, d) float32` in their order.
        """
        sql = (
            "SELECT id, vector FROM chunks CROSS JOIN embeddings USING (text_hash)"
            " WHERE embeddings.identity = ? AND chunks.id IN ({marks})"
        )
        rows = list(self._database.rows_in(sql, list(chunk_ids), space))
        vectors = np.array([np.frombuffer(row["vector"], dtype="<f4") for row in rows], dtype=np.float32)
        return [row["id"] for row in rows], vectors

    def of_documents(self, space: str, document_ids: Sequence[str]) -> Iterator[tuple[list[tuple[str, str]], Vectors]]:
        """Reads the vectors of all chunks of documents, those of some documents at a time.

        Yields:
            Pairs of document id and text hash, each once, and `(n, d) float32` in their order. Chunks that have no
            vector are left out.
        """
        # A cross join looks up the vector of each chunk; SQLite might go through all vectors otherwise.
        sql = (
            "SELECT document_id, text_hash, vector FROM chunks CROSS JOIN embeddings USING (text_hash)"
            " WHERE identity = ? AND document_id IN ({marks})"
        )
        for i in range(0, len(document_ids), _DOCUMENTS_PER_READ):
            rows = self._database.rows_in(sql, document_ids[i : i + _DOCUMENTS_PER_READ], space)
            found = {(row["document_id"], row["text_hash"]): row["vector"] for row in rows}
            if found:
                vectors = np.frombuffer(b"".join(found.values()), dtype="<f4")
                yield list(found), vectors.reshape(len(found), -1)

    def known(self, space: str, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes that have a vector."""
        sql = "SELECT text_hash FROM embeddings WHERE identity = ? AND text_hash IN ({marks})"
        return {row["text_hash"] for row in self._database.rows_in(sql, list(set(hashes)), space)}

    def spaces(self) -> list[str]:
        """The keys of the spaces that have any vectors."""
        found: list[str] = []
        # A step to the next key each; DISTINCT would read all vectors.
        sql = "SELECT identity FROM embeddings WHERE identity > ? ORDER BY identity LIMIT 1"
        while rows := self._database.rows(sql, found[-1] if found else ""):
            found.append(rows[0]["identity"])
        return found

    def chunk_keys(self, space: str) -> set[tuple[str, str]]:
        """Pairs of document id and text hash of all chunks that have a vector."""
        sql = f"SELECT DISTINCT document_id, text_hash FROM chunks WHERE {_EMBEDDED}"
        return {(row["document_id"], row["text_hash"]) for row in self._database.rows(sql, space)}

    def missing(self, space: str, limit: int) -> dict[str, int]:
        """Hashes that chunks have and no vector yet, each with the id of a chunk; short texts first."""
        sql = f"SELECT text_hash, min(id) AS id FROM chunks WHERE NOT {_EMBEDDED} GROUP BY text_hash"
        rows = self._database.rows(f"{sql} ORDER BY min(tokens), text_hash LIMIT ?", space, limit)
        return {row["text_hash"]: row["id"] for row in rows}

    def progress(self, space: str) -> tuple[int, int]:
        """How many texts of chunks have a vector, and how many there are."""
        sql = f"SELECT count(DISTINCT text_hash) AS texts FROM chunks WHERE {_EMBEDDED}"
        done = self._database.rows(sql, space)[0]["texts"]
        return done, self._database.rows("SELECT count(DISTINCT text_hash) AS texts FROM chunks")[0]["texts"]

    def unused(self) -> int:
        """How many vectors are of texts that no chunk has any more."""
        sql = "SELECT count(*) FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM chunks)"
        return int(self._database.rows(sql)[0][0])

    def drop_unused(self) -> None:
        """Forgets the vectors of texts that no chunk has any more."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM chunks)")

    def drop_some_of_others(self, space: str) -> bool:
        """Forgets some thousand vectors of other spaces.

        Returns:
            Whether there were any.
        """
        others = "SELECT identity, text_hash FROM embeddings WHERE identity < ?1 OR identity > ?1 LIMIT ?2"
        with self._database.transaction() as connection:
            deletion = f"DELETE FROM embeddings WHERE (identity, text_hash) IN ({others})"
            return connection.execute(deletion, (space, _ROWS_PER_DELETION)).rowcount > 0
