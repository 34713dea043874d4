"""Makes what is wanted of the index come true, step by step, while the one that is there answers.

Whatever the reason (another embedding model, embeddings computed anew, a renewal, many edits, a document that must
leave no trace), the way is the same: embed what has no vector in the wanted space, fill a new generation beside the
old one, and make it the one that answers by one write to the catalog. What is due follows from the catalog alone, so
a process that ends anywhere is no different from one that pauses.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from kb.catalog.catalog import Catalog
from kb.catalog.index_record import IndexRecord, Space
from kb.indexing.generations import Content, fill, new_record
from kb.indexing.live_index import EMBEDDINGS_PER_COMMIT, LiveIndex, Serving, embed_missing
from kb.ports import Embedder, IndexStores
from kb.search.dense import vector_id
from kb.values.closable import close
from kb.values.progress import Progress

logger = logging.getLogger(__name__)

DEAD_VECTORS_ALLOWED = 32
"""So many vectors may be deleted from an index, however small, before it is made anew: about 4 kB each in Chroma."""

DEAD_SHARE_ALLOWED = 0.5
"""So many may be deleted for each that is left; making a new index then costs a small number of steps an edit."""

LABEL = "making a new index"


class Upkeep:
    """Steps of work on the index, taken by the thread that replaces documents when it has nothing else to do.

    Args:
        retrieval: Serves the index that the catalog's record names.
        space: In which vectors ought to be; its revision is taken from the catalog.
        embedder: The model of that space.
    """

    def __init__(
        self, catalog: Catalog, stores: IndexStores, live_index: LiveIndex, space: Space, embedder: Embedder
    ) -> None:
        self.live_index = live_index
        self.embedder = embedder
        self._catalog = catalog
        self._ledger = catalog.ledger
        self._stores = stores
        self._space = space
        self._steps: Iterator[None] | None = None
        self._stepping = threading.Lock()
        self._closed = False
        self._keeps_unused = True
        self._progress = self._count_progress()

    @property
    def progress(self) -> Progress | None:
        """How far the making of a new index is; None when none is due."""
        in_wanted_space = self._wanted().key == self.live_index.serving.space.key
        if self._progress or (in_wanted_space and not self._is_outdated(self._ledger.index_record())):
            return self._progress
        return Progress(LABEL, 0, self._catalog.counts()[1], "chunks")

    def step(self, check: Callable[[], None], *, keep_unused: bool = False) -> bool:
        """Takes one step, of seconds at most where the machine is not slow.

        Args:
            check: Called first; what it raises ends the step before it begins.
            keep_unused: Whether embeddings that no chunk uses may be needed yet, by work that was cut off.

        Returns:
            Whether there is more to do.
        """
        check()
        with self._stepping:
            self._keeps_unused = keep_unused
            steps, self._steps = self._steps or self._jobs(), None
            if not self._closed:
                for _ in steps:
                    self._steps = steps
                    return True
        return False

    def close(self) -> None:
        """Releases all files; a step that is under way is not waited for, and is the last one."""
        self._closed = True
        if self._stepping.acquire(blocking=False):
            self._steps = None  # an index that was being filled is closed with them
            self._stepping.release()
        before = self.live_index.serving.embedder
        self.live_index.close()
        close(self.embedder, before)

    def _jobs(self) -> Iterator[None]:
        while (job := self._most_urgent()) is not None:
            yield from job
            yield
        self._catalog.housekeeping.checkpoint()

    def _most_urgent(self) -> Iterator[None] | None:
        ledger, serving, wanted = self._ledger, self.live_index.serving, self._wanted()
        if ledger.count("purged") < ledger.count("forgotten"):
            return self._purge()
        if self._is_outdated(ledger.index_record()):
            return self._build(serving.space)
        if not self._keeps_unused and self._are_many(self._catalog.embeddings.unused()):
            return self._drop_unused()
        if self._are_many(ledger.count("dead_vectors")):
            return self._compact()
        if self._catalog.embeddings.missing(wanted.key, limit=1):
            return self._embed_some(wanted)
        if serving.space.key != wanted.key:
            return self._build(wanted)
        self._progress = None
        if self._catalog.embeddings.drop_some_of_others(wanted.key) or self._catalog.housekeeping.give_back_space():
            return iter(())
        return None

    def _wanted(self) -> Space:
        return replace(self._space, revision=self._ledger.count("revision"))

    def _is_outdated(self, record: IndexRecord | None) -> bool:
        ledger = self._ledger
        return (
            self.live_index.has_failed
            or record is None
            or record.forgotten < ledger.count("forgotten")
            or record.renewals < ledger.count("renewals")
        )

    def _are_many(self, dead: int) -> bool:
        _, living = self._catalog.counts()
        return dead > max(DEAD_VECTORS_ALLOWED, DEAD_SHARE_ALLOWED * living)

    def _drop_unused(self) -> Iterator[None]:
        self._catalog.embeddings.drop_unused()
        yield

    def _purge(self) -> Iterator[None]:
        """Leaves in the catalog's files no byte of what was forgotten."""
        forgotten, purged = self._ledger.count("forgotten"), self._ledger.count("purged")
        self._catalog.embeddings.drop_unused()
        yield
        while self._catalog.housekeeping.merge_terms():
            yield
        self._catalog.housekeeping.vacuum()
        while not self._catalog.housekeeping.checkpoint():
            yield
        self._ledger.add("purged", forgotten - purged)

    def _compact(self) -> Iterator[None]:
        while self._catalog.housekeeping.merge_terms():
            yield
        yield from self._build(self.live_index.serving.space)

    def _embed_some(self, space: Space) -> Iterator[None]:
        self._progress = self._progress or self._count_progress()
        with self._catalog.snapshot():
            missing = self._catalog.embeddings.missing(space.key, EMBEDDINGS_PER_COMMIT)
            chunks = self._catalog.chunks.by_id(list(missing.values()))
        texts = {text_hash: chunks[chunk_id].chunk for text_hash, chunk_id in missing.items()}
        embed_missing(self._catalog, space.key, self.embedder, texts, lambda: None)
        self._add_to_index(space, list(texts))
        if self._progress:
            done = min(self._progress.done + len(texts), self._progress.total or 0)
            self._progress = replace(self._progress, done=done)
        yield

    def _add_to_index(self, space: Space, hashes: list[str]) -> None:
        with self.live_index.writing() as serving:
            if serving.space.key == space.key:
                keys = self._catalog.chunks.keys_of(hashes)
                vectors = self._catalog.embeddings.get(space.key, [text_hash for _, text_hash in keys])
                serving.index.upsert([vector_id(*key) for key in keys], vectors)

    def _build(self, space: Space) -> Iterator[None]:
        """Fills a new index and lets it answer; gives up where the user's wishes have changed meanwhile."""
        wishes, serving = self._wishes(), self.live_index.serving
        embedder = serving.embedder if space.key == serving.space.key else self.embedder
        if before := self._ledger.index_record():
            self._stores.keep_only(before.generation)  # a try for which there was no room may have left a part
        record = new_record(self._ledger, space)
        index = self._stores.create(record.generation, space.key)
        is_serving = False
        try:
            content = Content()
            for _ in fill(self._catalog, index, space.key, content):
                done = len(content.present)
                self._progress = Progress(LABEL, done, max(done, self._catalog.counts()[1]), "chunks")
                yield
                if self._wishes() != wishes:
                    return
            with self.live_index.writing():
                for _ in fill(self._catalog, index, space.key, content):
                    pass
                if self._wishes() != wishes:
                    return
                self._ledger.set_index(record, content.dead)
                is_serving = True
                self.live_index.exchange(Serving(space, embedder, index))
        finally:
            self._progress = None
            if not is_serving:
                index.close()
        self._stores.keep_only(record.generation)
        logger.info("a new vector index with %d entries answers", len(content.present))

    def _wishes(self) -> tuple[int, int, int]:
        count = self._ledger.count
        return count("forgotten"), count("renewals"), count("revision")

    def _count_progress(self) -> Progress | None:
        wanted = self._wanted()
        done, total = self._catalog.embeddings.progress(wanted.key)
        is_whole = done == total and wanted.key == self.live_index.serving.space.key
        return None if is_whole else Progress(LABEL, done, total, "chunks")
