"""The truth: documents, chunks, full-text index, embeddings and failures in one SQLite file.

One transaction swaps a document: a reader sees the old version or the new one, never a mixture and never nothing.
`snapshot` makes several reads see one state. Knows nothing about vector search.
"""

import datetime
import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

import numpy as np

from kb.database import Connection, Database, Row
from kb.ports import Vectors
from kb.text import index_terms, is_cjk
from kb.types import Chunk, Document, DocumentInfo, Failure, FileVersion, StoredChunk

SCHEMA_VERSION = 1

_DOCUMENT_COLUMNS = (
    "id, root, source, size_bytes, modified_ns, sha256, title, media_type, tags, date, page_count, text_chars,"
    " indexed_at, (SELECT count(*) FROM chunks WHERE document_id = documents.id) AS chunk_count"
)
_CHUNK_COLUMNS = (
    "chunks.id, document_id, ordinal, title, source, start_char, end_char, page, headings, context, tokens,"
    " substr(text, start_char + 1, end_char - start_char) AS chunk_text"
)
_CHUNKS = f"SELECT {_CHUNK_COLUMNS} FROM chunks JOIN documents ON documents.id = document_id"


class Catalog:
    """Reads and writes the catalog file.

    Args:
        path: Made if it is not there.

    Raises:
        SchemaMismatch: The file was written by a newer version.
        StorageError: The file is damaged or not accessible.
    """

    def __init__(self, path: Path) -> None:
        schema = resources.files("kb").joinpath("schema.sql").read_text("utf-8")
        self._database = Database(path, schema, SCHEMA_VERSION)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def snapshot(self) -> AbstractContextManager[None]:
        """All reads of this thread inside the block see one state of the catalog."""
        return self._database.snapshot()

    # Documents

    def documents(self) -> list[DocumentInfo]:
        """All documents, ordered by folder and path."""
        return [
            _document(row)
            for row in self._database.rows(f"SELECT {_DOCUMENT_COLUMNS} FROM documents ORDER BY root, source")
        ]

    def document(self, document_id: str) -> DocumentInfo | None:
        """One document, or None."""
        rows = self._database.rows(f"SELECT {_DOCUMENT_COLUMNS} FROM documents WHERE id = ?", document_id)
        return next(map(_document, rows), None)

    def document_id(self, root: str, source: str) -> str | None:
        """The id of the document that was read from a file, or None."""
        rows = self._database.rows("SELECT id FROM documents WHERE root = ? AND source = ?", root, source)
        return next((str(row["id"]) for row in rows), None)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str | None:
        """A stretch of a document's text, in characters; None if there is no such document."""
        length = -1 if end is None else max(0, end - start)
        sql = (
            "SELECT CASE ?2 WHEN -1 THEN substr(text, ?1 + 1) ELSE substr(text, ?1 + 1, ?2) END AS part FROM documents"
        )
        return next(
            (str(row["part"]) for row in self._database.rows(f"{sql} WHERE id = ?3", start, length, document_id)), None
        )

    def counts(self) -> tuple[int, int]:
        """Numbers of documents and of chunks."""
        row = self._database.rows("SELECT (SELECT count(*) FROM documents) AS d, (SELECT count(*) FROM chunks) AS c")[0]
        return row["d"], row["c"]

    def swap(
        self, document_id: str, file: FileVersion, document: Document, chunks: Sequence[Chunk], hashes: Sequence[str]
    ) -> None:
        """Puts a version of a document in the place of the one before, if any: the commit point of ingest.

        Args:
            hashes: `text_hash` of each chunk.
        """
        with self._database.transaction() as connection:
            _delete_document(connection, document_id)
            connection.execute("DELETE FROM failures WHERE root = ? AND source = ?", (file.root, file.source))
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document_id,
                    *(file.root, file.source, file.size_bytes, file.modified_ns, file.sha256),
                    document.title,
                    document.media_type,
                    _to_json(document.tags),
                    document.date.isoformat() if document.date else None,
                    document.page_count,
                    document.text,
                    len(document.text),
                    _now(),
                ),
            )
            for ordinal, (chunk, text_hash) in enumerate(zip(chunks, hashes, strict=True)):
                inserted = connection.execute(
                    "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(document_id, ordinal, chunk.start, chunk.end, chunk.page),
                        *(_to_json(chunk.headings), chunk.context, chunk.tokens, text_hash),
                    ),
                )
                terms = " ".join(index_terms(f"{chunk.context}\n{chunk.text}"))
                connection.execute("INSERT INTO chunk_terms (rowid, terms) VALUES (?, ?)", (inserted.lastrowid, terms))

    def move(self, document_id: str, file: FileVersion, title: str) -> None:
        """Notes a document's new place or modification time; its text is untouched."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM failures WHERE root = ? AND source = ?", (file.root, file.source))
            connection.execute(
                "UPDATE documents SET root = ?, source = ?, size_bytes = ?, modified_ns = ?, title = ? WHERE id = ?",
                (file.root, file.source, file.size_bytes, file.modified_ns, title, document_id),
            )

    def remove(self, document_id: str) -> None:
        """Forgets a document; unknown ids are ignored."""
        with self._database.transaction() as connection:
            _delete_document(connection, document_id)

    # Failures

    def record_failure(self, file: FileVersion, reason: str, hint: str) -> None:
        """Notes that a file could not be indexed; the same version again counts as one more attempt."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET"
                " attempts = 1 + attempts * (size_bytes = excluded.size_bytes AND modified_ns = excluded.modified_ns),"
                " size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns, sha256 = excluded.sha256,"
                " reason = excluded.reason, hint = excluded.hint, failed_at = excluded.failed_at",
                (
                    *(file.root, file.source, file.size_bytes, file.modified_ns, file.sha256),
                    *(reason, hint, _now()),
                ),
            )

    def clear_failure(self, root: str, source: str) -> None:
        """Forgets that a file failed."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM failures WHERE root = ? AND source = ?", (root, source))

    def failures(self) -> list[Failure]:
        """All files that could not be indexed, ordered by folder and path."""
        return [
            Failure(_file(row), row["reason"], row["hint"], row["attempts"], _time(row["failed_at"]))
            for row in self._database.rows("SELECT * FROM failures ORDER BY root, source")
        ]

    # Embeddings

    def embedded(self, identity: str, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes whose vector is stored."""
        sql = "SELECT text_hash FROM embeddings WHERE identity = ? AND text_hash IN ({marks})"
        return {row["text_hash"] for row in self._database.rows_in(sql, list(set(hashes)), identity)}

    def store_embeddings(self, identity: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """Keeps vectors for good, so that no text is embedded twice.

        Args:
            vectors: `(n, d) float32`, in the order of the hashes.
        """
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [(identity, key, vector.astype("<f4").tobytes()) for key, vector in zip(hashes, vectors, strict=True)],
            )

    def embeddings(self, identity: str, hashes: Sequence[str]) -> Vectors:
        """Reads vectors back.

        Returns:
            `(n, d) float32` in the order of the hashes.

        Raises:
            KeyError: A hash has no vector.
        """
        sql = "SELECT text_hash, vector FROM embeddings WHERE identity = ? AND text_hash IN ({marks})"
        found = {row["text_hash"]: row["vector"] for row in self._database.rows_in(sql, list(set(hashes)), identity)}
        return np.array([np.frombuffer(found[key], dtype="<f4") for key in hashes], dtype=np.float32)

    def drop_unused_embeddings(self) -> None:
        """Forgets the vectors of texts that no chunk has any more."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM chunks)")

    def chunk_keys(self, document_id: str | None = None) -> set[tuple[str, str]]:
        """Pairs of document id and text hash of all chunks, or of one document's."""
        sql = "SELECT DISTINCT document_id, text_hash FROM chunks WHERE ?1 IS NULL OR document_id = ?1"
        return {(row["document_id"], row["text_hash"]) for row in self._database.rows(sql, document_id)}

    # Search

    def search_keywords(self, terms: Sequence[str], k: int) -> list[tuple[int, float]]:
        """See `kb.ports.KeywordIndex`."""
        if not terms:
            return []
        query = " OR ".join(
            f'"{term}" *' if len(term) == 1 and is_cjk(term) else f'"{term}"' for term in dict.fromkeys(terms)
        )
        sql = (
            "SELECT rowid, -bm25(chunk_terms) AS score FROM chunk_terms WHERE chunk_terms MATCH ? ORDER BY rank LIMIT ?"
        )
        return [(row["rowid"], row["score"]) for row in self._database.rows(sql, query, k)]

    def chunks(self, ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Chunks by id; those that are gone are missing."""
        sql = _CHUNKS + " WHERE chunks.id IN ({marks})"
        return {row["id"]: _chunk(row) for row in self._database.rows_in(sql, list(ids))}

    def chunk_ids(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The first chunk of each pair of document id and text hash; pairs without a chunk are missing."""
        sql = (
            "SELECT document_id, text_hash, min(id) AS id FROM chunks WHERE text_hash IN ({marks})"
            " GROUP BY document_id, text_hash"
        )
        rows = self._database.rows_in(sql, list({text_hash for _, text_hash in keys}))
        found = {(row["document_id"], row["text_hash"]): int(row["id"]) for row in rows}
        return {key: found[key] for key in keys if key in found}

    # Folders and facts

    def folders(self) -> list[str]:
        """The folders that were watched when the service last ran."""
        return [row["root"] for row in self._database.rows("SELECT root FROM folders ORDER BY root")]

    def remember_folders(self, roots: Iterable[str]) -> None:
        """Notes which folders are watched."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM folders")
            connection.executemany("INSERT INTO folders VALUES (?)", [(root,) for root in sorted(set(roots))])

    def last_sync(self) -> datetime.datetime | None:
        """When the index last equalled the folders."""
        rows = self._database.rows("SELECT value FROM facts WHERE name = 'last_sync'")
        return next((_time(row["value"]) for row in rows), None)

    def note_sync(self) -> None:
        """Notes that the index equals the folders now."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('last_sync', ?)", (_now(),))


def _delete_document(connection: Connection, document_id: str) -> None:
    chunk_rows = "SELECT id FROM chunks WHERE document_id = ?"
    connection.execute(f"DELETE FROM chunk_terms WHERE rowid IN ({chunk_rows})", (document_id,))
    connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))


def _document(row: Row) -> DocumentInfo:
    return DocumentInfo(
        id=row["id"],
        file=_file(row),
        title=row["title"],
        media_type=row["media_type"],
        tags=tuple(json.loads(row["tags"])),
        date=datetime.date.fromisoformat(row["date"]) if row["date"] else None,
        page_count=row["page_count"],
        text_chars=row["text_chars"],
        chunk_count=row["chunk_count"],
        indexed_at=_time(row["indexed_at"]),
    )


def _file(row: Row) -> FileVersion:
    return FileVersion(row["root"], row["source"], row["size_bytes"], row["modified_ns"], row["sha256"])


def _chunk(row: Row) -> StoredChunk:
    chunk = Chunk(
        start=row["start_char"],
        end=row["end_char"],
        text=row["chunk_text"],
        headings=tuple(json.loads(row["headings"])),
        page=row["page"],
        context=row["context"],
        tokens=row["tokens"],
    )
    return StoredChunk(row["id"], row["document_id"], row["ordinal"], row["title"], row["source"], chunk)


def _to_json(values: Sequence[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
