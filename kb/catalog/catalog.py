"""The truth: documents, chunks, full-text index, embeddings and ledger in one SQLite file.

One transaction swaps a document: a reader sees the old version or the new one, never a mixture and never nothing.
`snapshot` makes several reads see one state. Knows nothing about vector search.
"""

import datetime
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

from kb.catalog.chunks import ChunkStore
from kb.catalog.database import Database
from kb.catalog.digests import DigestStore
from kb.catalog.embeddings import EmbeddingStore
from kb.catalog.filters import select
from kb.catalog.housekeeping import Housekeeping
from kb.catalog.keywords import KeywordStore
from kb.catalog.ledger import Ledger, add_to_counter, file_columns, now, write_failure
from kb.catalog.links import LinkStore, write_links
from kb.catalog.migrations import FORGOTTEN_HINT, FORGOTTEN_REASON, MIGRATIONS, SCHEMA_VERSION
from kb.catalog.names import NameStore, write_name
from kb.catalog.pages import PageStore
from kb.catalog.rows import (
    DOCUMENT_COLUMNS,
    clear_failure,
    delete_document,
    document_info,
    insert_chunk,
    is_forgotten,
    stretch,
    to_json,
)
from kb.catalog.scans import ScanStore, drop_orphans
from kb.catalog.versions import VersionStore
from kb.values.documents import Chunk, Document, DocumentInfo, DocumentOutline, FailureKind, FileVersion
from kb.values.filters import Filters


class Catalog:
    """Reads and writes the catalog file.

    Args:
        path: Made if it is not there; one of an older version is brought up to date.

    Attributes:
        chunks: Of the documents.
        embeddings: Of the chunks' texts.
        keywords: Of the chunks and their documents.
        pages: Of the documents.
        names: Of the documents; `versions` says which of them are versions of one another.
        links: From documents to others.
        digests: Made of documents by reading them whole.
        scans: What was read in the pictures of their pages.
        ledger: Failures, watched folders, the index record.
        housekeeping: What the file needs beside its content.

    Raises:
        SchemaMismatch: The file was written by a newer version.
        StorageError: The file is damaged or not accessible.
    """

    def __init__(self, path: Path) -> None:
        schema = resources.files("kb.catalog").joinpath("schema.sql").read_text("utf-8")
        self._database = Database(path, schema, SCHEMA_VERSION, MIGRATIONS)
        self.chunks = ChunkStore(self._database)
        self.embeddings = EmbeddingStore(self._database)
        self.keywords = KeywordStore(self._database)
        self.names = NameStore(self._database)
        self.pages = PageStore(self._database)
        self.versions = VersionStore(self._database)
        self.links = LinkStore(self._database)
        self.digests = DigestStore(self._database)
        self.scans = ScanStore(self._database)
        self.ledger = Ledger(self._database)
        self.housekeeping = Housekeeping(self._database)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def snapshot(self) -> AbstractContextManager[None]:
        """All reads of this thread inside the block see one state of the catalog."""
        return self._database.snapshot()

    # Documents

    def documents(self, limit: int | None = None, after: tuple[str, str] = ("", "")) -> list[DocumentInfo]:
        """Documents, ordered by folder and path.

        Args:
            limit: How many at the most; None: all.
            after: Folder and path of the document after which to begin.
        """
        sql = f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE (root, source) > (?, ?) ORDER BY root, source LIMIT ?"
        return [document_info(row) for row in self._database.rows(sql, *after, -1 if limit is None else limit)]

    def partly_read(self) -> list[DocumentInfo]:
        """Documents that answer without pages that have no text, ordered by folder and path."""
        pages = "unread_pages <> '[]' AND text_chars > 0"
        sql = f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE {pages} ORDER BY root, source"
        return list(map(document_info, self._database.rows(sql)))

    def document(self, document_id: str) -> DocumentInfo | None:
        """One document, or None."""
        rows = self._database.rows(f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE id = ?", document_id)
        return next(map(document_info, rows), None)

    def document_id(self, root: str, source: str) -> str | None:
        """The id of the document that was read from a file, or None."""
        rows = self._database.rows("SELECT id FROM documents WHERE root = ? AND source = ?", root, source)
        return next((str(row["id"]) for row in rows), None)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str | None:
        """A stretch of a document's text, in characters; None if there is no such document."""
        return stretch(self._database, document_id, start, end)

    def top_folders(self) -> list[tuple[str, str]]:
        """Pairs of a watched folder and a folder right below it in which documents lie, at any depth; in order."""
        sql = (
            "SELECT DISTINCT root, substr(source, 1, instr(source, '/') - 1) AS folder FROM documents"
            " WHERE instr(source, '/') ORDER BY root, folder"
        )
        return [(row["root"], row["folder"]) for row in self._database.rows(sql)]

    def outlines(self, filters: Filters) -> list[DocumentOutline]:
        """The documents that pass, newest first: read from the index of conditions alone, which takes milliseconds."""
        documents = select(self._database, filters)
        sql = (
            "SELECT id, source, media_type, tags, coalesce(date, date(modified_ns / 1000000000, 'unixepoch')) AS day"
            f" FROM documents WHERE {documents.sql} ORDER BY day DESC, source"
        )
        rows = self._database.rows(sql, *documents.values)
        return [DocumentOutline(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def dates(self, document_ids: Sequence[str]) -> dict[str, datetime.date]:
        """The date of each document: its own, else that of its file."""
        sql = (
            "SELECT id, coalesce(date, date(modified_ns / 1000000000, 'unixepoch')) AS day FROM documents"
            " WHERE id IN ({marks})"
        )
        rows = self._database.rows_in(sql, list(document_ids))
        return {row["id"]: datetime.date.fromisoformat(row["day"]) for row in rows}

    def counts(self) -> tuple[int, int]:
        """Numbers of documents and of chunks."""
        row = self._database.rows("SELECT (SELECT count(*) FROM documents) AS d, (SELECT count(*) FROM chunks) AS c")[0]
        return row["d"], row["c"]

    def swap(
        self,
        document_id: str,
        file: FileVersion,
        document: Document,
        chunks: Sequence[Chunk],
        hashes: Sequence[str],
        *,
        recipe: str = "",
        dead_vectors: int = 0,
    ) -> bool:
        """Puts a version of a document in the place of the one before, if any: the commit point of ingest.

        Args:
            hashes: `text_hash` of each chunk.
            recipe: Version of readers and chunker.
            dead_vectors: Vectors that go from the index for it.

        Returns:
            False, and nothing has changed, if the user wants this version of the file gone.
        """
        with self._database.transaction() as connection:
            if is_forgotten(connection, file):
                return False
            before = delete_document(connection, document_id)
            clear_failure(connection, file)
            columns = {
                "id": document_id,
                **file_columns(file),
                "title": document.title,
                "media_type": document.media_type,
                "tags": to_json(document.tags),
                "date": document.date.isoformat() if document.date else None,
                "page_count": document.page_count,
                "text": document.text,
                "text_chars": len(document.text),
                "indexed_at": now(),
                "recipe": recipe,
                "unread_pages": to_json(document.unread_pages),
                "ocr_pages": to_json(document.ocr_pages),
                "unmapped_chars": document.unmapped_chars,
            }
            connection.execute(
                f"INSERT INTO documents ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                tuple(columns.values()),
            )
            for ordinal, (chunk, text_hash) in enumerate(zip(chunks, hashes, strict=True)):
                insert_chunk(connection, document_id, ordinal, chunk, text_hash)
            write_name(connection, document_id, document.title, file.source)
            write_links(connection, document_id, document)
            drop_orphans(connection, before)
            add_to_counter(connection, "dead_vectors", dead_vectors)
            return True

    def move(self, document_id: str, file: FileVersion, title: str) -> None:
        """Notes a document's new place or times; its text is untouched. Unknown ids are ignored."""
        with self._database.transaction() as connection:
            moved = connection.execute(
                "UPDATE documents SET root = ?, source = ?, size_bytes = ?, modified_ns = ?, changed_ns = ?, title = ?"
                " WHERE id = ?",
                (file.root, file.source, file.size_bytes, file.modified_ns, file.changed_ns, title, document_id),
            )
            if moved.rowcount:
                clear_failure(connection, file)
                write_name(connection, document_id, title, file.source)

    def remove(self, document_id: str, dead_vectors: int = 0) -> None:
        """Removes a document; unknown ids are ignored."""
        with self._database.transaction() as connection:
            drop_orphans(connection, delete_document(connection, document_id))
            add_to_counter(connection, "dead_vectors", dead_vectors)

    def forget(self, document_id: str) -> DocumentInfo | None:
        """Removes a document at the user's wish, and notes that its file is to be passed over.

        What its rows held is overwritten; `drop_unused` and the `housekeeping` remove the rest.

        Returns:
            What was removed, or None if there is no such document.
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE id = ?", (document_id,)
            ).fetchone()
            if row is None:
                return None
            document = document_info(row)
            drop_orphans(connection, delete_document(connection, document_id))
            write_failure(connection, document.file, FORGOTTEN_REASON, FORGOTTEN_HINT, FailureKind.FORGOTTEN)
            add_to_counter(connection, "forgotten", 1)
            return document

    def outdate(self, document_ids: Iterable[str] | None = None) -> int:
        """Takes the recipe off documents, so that their files are read anew.

        Args:
            document_ids: None: all.

        Returns:
            How many.
        """
        with self._database.transaction() as connection:
            if document_ids is None:
                return connection.execute("UPDATE documents SET recipe = ''").rowcount
            update = "UPDATE documents SET recipe = '' WHERE id = ?"
            return sum(connection.execute(update, (document_id,)).rowcount for document_id in set(document_ids))
