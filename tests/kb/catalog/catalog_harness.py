"""Documents for a catalog."""

from kb.catalog.catalog import Catalog
from kb.text.terms import search_terms
from kb.values.documents import Chunk, Document, FileVersion

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
    chunks = catalog.chunks.by_id(ids)
    return [chunks[chunk_id].chunk.text for chunk_id in ids]
