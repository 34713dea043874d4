"""The values of the catalog as rows, and the statements that several of its transactions share.

Knows the tables; begins and ends no transaction.
"""

import datetime
import json
from collections.abc import Sequence

from kb.catalog.database import Connection, Database, Row
from kb.catalog.ledger import SAME_VERSION, file_columns, file_version
from kb.text.terms import index_terms
from kb.values.documents import Chunk, DocumentInfo, FailureKind, FileVersion
from kb.values.passages import StoredChunk

DOCUMENT_COLUMNS = (
    "id, root, source, size_bytes, modified_ns, changed_ns, sha256, title, media_type, tags, date, page_count,"
    " text_chars, indexed_at, recipe, unread_pages, ocr_pages, unmapped_chars,"
    " (SELECT count(*) FROM chunks WHERE document_id = documents.id) AS chunk_count"
)
CHUNK_COLUMNS = (
    "chunks.id, document_id, ordinal, title, source, start_char, end_char, page, headings, context, tokens, page_label,"
    " by_ocr"
)
CHUNKS = f"SELECT {CHUNK_COLUMNS} FROM chunks JOIN documents ON documents.id = document_id"


def delete_document(connection: Connection, document_id: str) -> str:
    """Deletes a document with its chunks and their terms.

    Returns:
        Its hash, so that what is kept by that can go, too; empty where there was no such document.
    """
    chunk_rows = "SELECT id FROM chunks WHERE document_id = ?"
    connection.execute(f"DELETE FROM chunk_terms WHERE rowid IN ({chunk_rows})", (document_id,))
    gone = connection.execute("DELETE FROM documents WHERE id = ? RETURNING sha256", (document_id,)).fetchall()
    return next((str(row["sha256"]) for row in gone), "")


def insert_chunk(connection: Connection, document_id: str, ordinal: int, chunk: Chunk, text_hash: str) -> None:
    """Adds a chunk of a document, and its terms."""
    inserted = connection.execute(
        "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(document_id, ordinal, chunk.start, chunk.end, chunk.page),
            *(to_json(chunk.headings), chunk.context, chunk.tokens, text_hash, chunk.page_label, chunk.by_ocr),
        ),
    )
    terms = " ".join(index_terms(f"{chunk.context}\n{chunk.text}"))
    connection.execute("INSERT INTO chunk_terms (rowid, terms) VALUES (?, ?)", (inserted.lastrowid, terms))


def is_forgotten(connection: Connection, file: FileVersion) -> bool:
    """Whether the user wants this version of a file gone."""
    sql = f"SELECT 1 FROM failures WHERE root = :root AND source = :source AND kind = :kind AND {SAME_VERSION}"
    values = {**file_columns(file), "kind": FailureKind.FORGOTTEN}
    return connection.execute(sql, values).fetchone() is not None


def clear_failure(connection: Connection, file: FileVersion) -> None:
    """Forgets that a file failed."""
    connection.execute("DELETE FROM failures WHERE root = ? AND source = ?", (file.root, file.source))


def document_info(row: Row) -> DocumentInfo:
    """Reads a row of `DOCUMENT_COLUMNS`."""
    return DocumentInfo(
        id=row["id"],
        file=file_version(row),
        title=row["title"],
        media_type=row["media_type"],
        tags=tuple(json.loads(row["tags"])),
        date=datetime.date.fromisoformat(row["date"]) if row["date"] else None,
        page_count=row["page_count"],
        text_chars=row["text_chars"],
        chunk_count=row["chunk_count"],
        indexed_at=datetime.datetime.fromisoformat(row["indexed_at"]),
        recipe=row["recipe"],
        unread_pages=tuple(json.loads(row["unread_pages"])),
        ocr_pages=tuple(json.loads(row["ocr_pages"])),
        unmapped_chars=row["unmapped_chars"],
    )


def stretch(database: Database, document_id: str, start: int = 0, end: int | None = None) -> str | None:
    """A stretch of a document's text, in characters; None if there is no such document."""
    length = -1 if end is None else max(0, end - start)
    sql = "SELECT CASE ?2 WHEN -1 THEN substr(text, ?1 + 1) ELSE substr(text, ?1 + 1, ?2) END AS part FROM documents"
    rows = database.rows(f"{sql} WHERE id = ?3", start, length, document_id)
    return next((str(row["part"]) for row in rows), None)


def stored_chunk(row: Row, text: str, text_start: int) -> StoredChunk:
    """Reads a row of `CHUNKS`.

    Args:
        text: A stretch of the document that holds the chunk.
        text_start: Where the stretch begins, in characters of the document.
    """
    chunk = Chunk(
        start=row["start_char"],
        end=row["end_char"],
        text=text[row["start_char"] - text_start : row["end_char"] - text_start],
        headings=tuple(json.loads(row["headings"])),
        page=row["page"],
        context=row["context"],
        tokens=row["tokens"],
        page_label=row["page_label"],
        by_ocr=bool(row["by_ocr"]),
    )
    return StoredChunk(row["id"], row["document_id"], row["ordinal"], row["title"], row["source"], chunk)


def to_json(values: Sequence[str | int]) -> str:
    """Writes a JSON column."""
    return json.dumps(list(values), ensure_ascii=False)
