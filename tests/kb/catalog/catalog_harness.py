"""Documents for a catalog, and what is found of them."""

from pathlib import Path

from kb.catalog.catalog import Catalog
from kb.text.terms import search_terms
from kb.values.documents import Chunk, Document, FileVersion

SCHEMA_1 = Path(__file__).with_name("schema_1.sql")


VERSION_1_ROWS = """
    INSERT INTO documents VALUES
        ('d1', '/notes', 'a.md', 10, 1000, 'hash of a', 'A', '', '[]', NULL, NULL, 'the blue whale', 14, '2026-05-01');
    INSERT INTO chunks VALUES (1, 'd1', 0, 0, 14, NULL, '[]', '', 3, 'h1');
    INSERT INTO chunk_terms (rowid, terms) VALUES (1, 'the blue whale');
    INSERT INTO embeddings VALUES ('m', 'h1', x'0000803f00000000');
    INSERT INTO failures VALUES
        ('/notes', 'broken.pdf', 1, 2, '', 'encrypted', '', 3, '2026-05-01T12:00:00+00:00'),
        ('/notes', 'gone.md', 1, 2, '', 'forgotten at your wish', '', 1, '2026-05-01T12:00:00+00:00');
    INSERT INTO folders VALUES ('/a'), ('/b');
    INSERT INTO facts VALUES ('last_sync', '2026-05-01T12:00:00+00:00');
    PRAGMA user_version = 1;
"""


FILE = FileVersion("/notes", "a.md", 10, 1_000, "hash of a")


def chunks_of(*texts: str, context: str = "") -> tuple[Document, list[Chunk]]:
    chunks, start = [], 0
    for text in texts:
        chunks.append(Chunk(start, start + len(text), text, ("Part", text[:3]), 7, context, tokens=3))
        start += len(text) + 2
    return Document("A title", "text/markdown", "\n\n".join(texts), ()), chunks


def add(catalog: Catalog, document_id: str, *texts: str, file: FileVersion = FILE, context: str = "") -> None:
    document, chunks = chunks_of(*texts, context=context)
    catalog.swap(document_id, file, document, chunks, [f"hash of {text}" for text in texts])


def file_named(source: str) -> FileVersion:
    return FileVersion("/notes", source, 10, 1_000, f"hash of {source}")


def found_texts(catalog: Catalog, query: str, k: int = 10) -> list[str]:
    ids = [chunk_id for chunk_id, _ in catalog.keywords.search(search_terms(query), k)]
    chunks = catalog.chunks(ids)
    return [chunks[chunk_id].chunk.text for chunk_id in ids]
