"""Embedding model, vector index and catalog kept in step: what is committed can be found, what is gone cannot.

The order of the steps is the promise. Vectors are added before the commit and removed after it, so a reader between
the steps finds the old version or the new one. What a crash leaves behind is put in step at the next start. Which
index answers can be exchanged at any time; how another one comes about is not known here.
"""

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.errors import StorageError, VectorIndexError
from kb.indexing.exchange import Exchangeable
from kb.observing import Observe, unobserved
from kb.ports import Embedder, VectorIndex
from kb.search.dense import vector_id
from kb.search.hybrid import HybridSearch
from kb.search.languages import LanguageBalance, MeasureBalance, no_balance
from kb.search.query_vectors import QueryVectors
from kb.search.reranking import NO_RERANKING, Reranking
from kb.search.stopwatch import measured
from kb.values.closable import close
from kb.values.documents import Chunk, Document, DocumentInfo, FileVersion
from kb.values.filters import EVERYTHING, Filters
from kb.values.happenings import IndexExchanged, SearchEnded
from kb.values.passages import Passage

logger = logging.getLogger(__name__)

EMBEDDINGS_PER_COMMIT = 128
"""Vectors are stored every so many chunks, so that an interruption comes soon and loses little."""

VECTORS_PER_LOCK = 1024
"""So many go into the index at once: between, others may remove documents, and what is more urgent is done."""

SEARCH_PATIENCE_SECONDS = 10.0
"""How long the end of searches is waited for before their index is closed."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers: an index, and the model that fits it."""

    space: Space
    embedder: Embedder
    index: VectorIndex


class LiveIndex:
    """Writes documents to catalog and vector index, and reads passages back.

    One thread replaces documents; others may search, remove and forget meanwhile.

    Args:
        index: In step with the catalog.
        space: Of the vectors in the index; None: that of the embedder, never computed anew.
        reranking: Puts in order what is found.
        measure: Says how a model sees the languages; asked for each model once, at its first question.
        observe: Is told of searches and of new generations.

    Attributes:
        query_vectors: Of the last queries.
        has_failed: Whether a write to the index that answers has failed: it is made anew before more goes into it.
    """

    def __init__(
        self,
        catalog: Catalog,
        embedder: Embedder,
        index: VectorIndex,
        space: Space | None = None,
        reranking: Reranking = NO_RERANKING,
        measure: MeasureBalance = no_balance,
        observe: Observe = unobserved,
    ) -> None:
        self._observe = observe
        self._catalog = catalog
        self._reranking = reranking
        self._serving = Exchangeable(Serving(space or Space(embedder.identity), embedder, index))
        self._write_lock = threading.RLock()
        self._measure = measure
        self._balances: dict[str, LanguageBalance | None] = {}
        self._measuring = threading.Lock()
        self.query_vectors = QueryVectors(observe)
        self.has_failed = False

    @property
    def serving(self) -> Serving:
        """What answers at this moment."""
        return self._serving.value

    def passages(self, query: str, top_k: int, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages, by their words alone where the index fails. See `kb.search.hybrid.HybridSearch.passages`."""
        with self._observed_search(), self._serving.borrowed() as serving:
            retriever = HybridSearch(
                catalog=self._catalog,
                space=serving.space.key,
                embedder=serving.embedder,
                index=serving.index,
                balance=self._balance(serving.embedder),
                reranking=self._reranking,
                vectors=self.query_vectors,
            )
            try:
                return retriever.passages(query, top_k, filters)
            except VectorIndexError as error:
                logger.error("words alone are searched for: %s", error.message)
                self._ask_for_renewal()
                return replace(retriever, index=None).passages(query, top_k, filters)

    def replace(
        self,
        file: FileVersion,
        document: Document,
        chunks: Sequence[Chunk],
        check: Callable[[], None],
        recipe: str = "",
    ) -> str:
        """Puts a file's new content in the place of the old; only texts that are new are embedded.

        Where the user wants this version of the file gone, nothing changes.

        Args:
            check: Called between batches; what it raises ends the work before the commit.
            recipe: Version of readers and chunker.

        Returns:
            The document's id, the same as before if the file was known.
        """
        hashes = [text_hash(chunk) for chunk in chunks]
        now = self.serving
        texts = dict(zip(hashes, chunks, strict=True))
        embed_missing(self._catalog, now.space.key, now.embedder, texts, check)
        document_id = self._catalog.document_id(file.root, file.source) or secrets.token_hex(8)
        before = {key for _, key in self._catalog.chunks.keys(document_id)}
        added, removed = sorted(texts.keys() - before), sorted(before.difference(texts))
        surplus = added
        try:
            self._add(document_id, added, check)
            with self.writing():
                lost = before.intersection(texts).difference(key for _, key in self._catalog.chunks.keys(document_id))
                self._add(document_id, sorted(lost), check=None)  # the user has just forgotten the version before
                version = (document_id, file, document, chunks, hashes)
                if self._catalog.swap(*version, recipe=recipe, dead_vectors=len(removed)):
                    surplus = removed
        finally:  # where the work was ended, or the catalog failed, too: nothing of the new version is left
            with self.writing() as serving:
                serving.index.delete(vector_id(document_id, key) for key in surplus)
        return document_id

    def _add(self, document_id: str, hashes: Sequence[str], check: Callable[[], None] | None) -> None:
        for i in range(0, len(hashes), VECTORS_PER_LOCK):
            if i and check:
                check()
            batch = hashes[i : i + VECTORS_PER_LOCK]
            with self.writing() as serving:
                stored = self._catalog.embeddings.get(serving.space.key, batch)
                serving.index.upsert([vector_id(document_id, key) for key in batch], stored)

    def remove(self, document_id: str) -> None:
        """Removes a document; unknown ids are ignored."""
        with self.writing() as serving:
            keys = self._catalog.chunks.keys(document_id)
            self._catalog.remove(document_id, len(keys))
            serving.index.delete(vector_id(*key) for key in keys)

    def forget(self, document_id: str) -> DocumentInfo | None:
        """Removes a document at the user's wish. See `kb.catalog.catalog.Catalog.forget`."""
        with self.writing() as serving:
            keys = self._catalog.chunks.keys(document_id)
            document = self._catalog.forget(document_id)
            with suppress(StorageError):  # the disk may be full; the index is made anew without it in any case
                serving.index.delete(vector_id(*key) for key in keys)
            return document

    @contextmanager
    def writing(self) -> Iterator[Serving]:
        """Nobody else changes documents or exchanges the index inside the block.

        An index that fails is made anew as soon as there is time; an error of the catalog is no reason for that.
        """
        with self._write_lock:
            try:
                yield self.serving
            except VectorIndexError:
                self.has_failed = True  # the catalog may not take it down: the disk may be full
                self._ask_for_renewal()
                raise

    def exchange(self, serving: Serving) -> None:
        """Lets another index answer, and closes the old one, and its model, when the searches in it are over."""
        with self._write_lock:
            self.has_failed = False
            old = self.serving
            if self._serving.exchange(serving, SEARCH_PATIENCE_SECONDS):
                old.index.close()
                if old.embedder is not serving.embedder:
                    close(old.embedder)
        self._observe(IndexExchanged())

    def close(self) -> None:
        """Releases the index's files."""
        self._serving.wait_for_borrowers(SEARCH_PATIENCE_SECONDS)
        self.serving.index.close()

    @contextmanager
    def _observed_search(self) -> Iterator[None]:
        began = time.perf_counter()
        with measured() as parts:
            yield
        self._observe(SearchEnded(time.perf_counter() - began, parts))

    def _balance(self, embedder: Embedder) -> LanguageBalance | None:
        with self._measuring:
            if embedder.identity not in self._balances:
                self._balances[embedder.identity] = self._measure(embedder)
            return self._balances[embedder.identity]

    def _ask_for_renewal(self) -> None:
        ledger = self._catalog.ledger
        record = ledger.index_record()
        if record is not None and record.renewals == ledger.count("renewals"):
            ledger.add("renewals")


def embed_missing(
    catalog: Catalog, space: str, embedder: Embedder, chunks: Mapping[str, Chunk], check: Callable[[], None]
) -> None:
    """Embeds those texts that have no vector yet, short ones first, and keeps the vectors.

    Args:
        space: Key of the space of the embedder.
        chunks: By hash of their text.
        check: Called before each batch; what it raises ends the work.
    """
    known = catalog.embeddings.known(space, chunks)
    missing = sorted((key for key in chunks if key not in known), key=lambda key: chunks[key].tokens)
    for i in range(0, len(missing), EMBEDDINGS_PER_COMMIT):
        check()
        batch = missing[i : i + EMBEDDINGS_PER_COMMIT]
        texts = [embedded_text(chunks[key]) for key in batch]
        catalog.embeddings.put(space, batch, embedder.embed_passages(texts))


def embedded_text(chunk: Chunk) -> str:
    """What is embedded of a chunk: where it stands, and what it says."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text


def text_hash(chunk: Chunk) -> str:
    """The key of a chunk's embedding: SHA-256 of what is embedded, its first 32 hex digits."""
    return hashlib.sha256(embedded_text(chunk).encode()).hexdigest()[:32]
