"""Embedding model, vector index and catalog kept in step: what is committed can be found, what is gone cannot.

The order of the steps is the promise. Vectors are added before the commit and removed after it, so a reader between
the steps finds the old version or the new one. What a crash leaves behind is swept at the next start.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from kb import vectors
from kb.catalog import Catalog
from kb.errors import StorageError
from kb.ports import Embedder, VectorIndex
from kb.search import Retriever, vector_id
from kb.types import Chunk, Document, FileVersion

logger = logging.getLogger(__name__)

EMBEDDINGS_PER_COMMIT = 64
"""Vectors are stored every so many chunks, so that an interruption loses little."""


class Retrieval:
    """Writes documents to catalog and vector index, and reads passages back.

    Args:
        index: In step with the catalog after `sweep`.
    """

    def __init__(self, catalog: Catalog, embedder: Embedder, index: VectorIndex) -> None:
        self._catalog = catalog
        self._index = index
        self.embedder = embedder
        self.retriever = Retriever(catalog, embedder, index)

    def sweep(self) -> None:
        """Puts the index in step with the catalog, from stored embeddings.

        Only where the embedding model is another one than before, every chunk is embedded again.
        """
        keys = self._catalog.chunk_keys()
        self._embed_for_new_model(keys)
        wanted = {vector_id(*key): key[1] for key in keys}
        present = self._index.ids()
        self._index.delete(present - wanted.keys())
        missing = sorted(wanted.keys() - present)
        for i in range(0, len(missing), vectors.BATCH_SIZE):
            batch = missing[i : i + vectors.BATCH_SIZE]
            stored = self._catalog.embeddings(self.embedder.identity, [wanted[key] for key in batch])
            self._index.upsert(batch, stored)
        if missing:
            logger.info("vector index: %d entries rebuilt from the catalog", len(missing))

    def replace(self, file: FileVersion, document: Document, chunks: Sequence[Chunk], check: Callable[[], None]) -> str:
        """Puts a file's new content in the place of the old; only texts that are new are embedded.

        Args:
            check: Called between batches; what it raises ends the work before the commit.

        Returns:
            The document's id, the same as before if the file was known.
        """
        document_id = self._catalog.document_id(file.root, file.source) or secrets.token_hex(8)
        hashes = [text_hash(chunk) for chunk in chunks]
        self._embed_missing(dict(zip(hashes, chunks, strict=True)), check)
        before = {key for _, key in self._catalog.chunk_keys(document_id)}
        new = sorted(set(hashes) - before)
        if new:
            stored = self._catalog.embeddings(self.embedder.identity, new)
            self._index.upsert([vector_id(document_id, key) for key in new], stored)
        self._catalog.swap(document_id, file, document, chunks, hashes)
        self._index.delete(vector_id(document_id, key) for key in before.difference(hashes))
        return document_id

    def remove(self, document_id: str) -> None:
        """Forgets a document."""
        keys = self._catalog.chunk_keys(document_id)
        self._catalog.remove(document_id)
        self._index.delete(vector_id(*key) for key in keys)

    def close(self) -> None:
        """Releases the index's files."""
        self._index.close()

    def _embed_for_new_model(self, keys: set[tuple[str, str]]) -> None:
        known = self._catalog.embedded(self.embedder.identity, (text_hash for _, text_hash in keys))
        missing = [key for key in keys if key[1] not in known]
        if missing:
            logger.info("embedding %d chunks anew with %s", len(missing), self.embedder.identity)
        for i in range(0, len(missing), EMBEDDINGS_PER_COMMIT):
            ids = self._catalog.chunk_ids(missing[i : i + EMBEDDINGS_PER_COMMIT])
            chunks = self._catalog.chunks(list(ids.values()))
            self._embed_missing({key[1]: chunks[chunk_id].chunk for key, chunk_id in ids.items()}, lambda: None)

    def _embed_missing(self, chunks: dict[str, Chunk], check: Callable[[], None]) -> None:
        identity = self.embedder.identity
        known = self._catalog.embedded(identity, chunks)
        missing = sorted((key for key in chunks if key not in known), key=lambda key: chunks[key].tokens)
        for i in range(0, len(missing), EMBEDDINGS_PER_COMMIT):
            check()
            batch = missing[i : i + EMBEDDINGS_PER_COMMIT]
            texts = [embedded_text(chunks[key]) for key in batch]
            self._catalog.store_embeddings(identity, batch, self.embedder.embed_passages(texts))


def open_index(path: Path, identity: str) -> VectorIndex:
    """Opens the vector index; one that is damaged is removed and made anew, empty.

    Args:
        path: Folder of the Chroma store.
        identity: Of the embedding model.
    """
    if vectors.is_sound(path):
        try:
            return vectors.ChromaIndex(path, identity)
        except StorageError as error:
            logger.warning("%s", error.message)
    logger.warning("the vector index %s is damaged: it is rebuilt from the catalog", path)
    vectors.remove(path)
    return vectors.ChromaIndex(path, identity)


def embedded_text(chunk: Chunk) -> str:
    """What is embedded of a chunk: where it stands, and what it says."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text


def text_hash(chunk: Chunk) -> str:
    """The key of a chunk's embedding: SHA-256 of what is embedded, its first 32 hex digits."""
    return hashlib.sha256(embedded_text(chunk).encode()).hexdigest()[:32]
