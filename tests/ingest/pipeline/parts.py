"""Texts, a slow embedding model and an index that fails, for several tests of the pipeline."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from kb.errors import StorageError, VectorIndexError
from kb.ports import Vectors
from tests.fakes import FakeEmbedder, FakeVectorIndex
from tests.harness import PATIENCE_SECONDS, eventually

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
OTTER = "# Otters\n\nOtters sleep while they float.\n"


class SlowEmbedder(FakeEmbedder):
    """Takes its time for each batch."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(self._seconds)
        return super().embed_passages(texts)


class FailingIndex(FakeVectorIndex):
    """Has no room as long as it is full; a broken one takes nothing any more."""

    def __init__(self) -> None:
        super().__init__()
        self.full = self.broken = False
        self.unforeseen: Exception | None = None

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        if self.unforeseen:
            raise self.unforeseen
        if self.full:
            raise StorageError("the disk is full", "free some space")
        if self.broken:
            raise VectorIndexError("Error in compaction", "it is made anew")
        super().upsert(ids, vectors)

    def delete(self, ids: Iterable[str]) -> None:
        if self.unforeseen:
            raise self.unforeseen
        super().delete(ids)


def long_text(chunks: int, name: str = "Chapter") -> str:
    """Text of so many chunks, all of them different."""
    return "\n\n".join(f"# {name} {n}\n\nText of {name} {n}.\n" for n in range(chunks))


class PacedEmbedder(FakeEmbedder):
    """Embeds texts that name a chapter a batch at a time: as many batches as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._batches = threading.Semaphore(0)
        self._is_free = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if any("Chapter" in text for text in texts) and not self._is_free.is_set():
            self._batches.acquire(timeout=PATIENCE_SECONDS)
        return super().embed_passages(texts)

    def go_on(self) -> None:
        """Lets all batches pass from now on."""
        self._is_free.set()
        self._batches.release()

    def go_on_until(self, condition: Callable[[], object], batches: int) -> bool:
        """Lets a batch pass now and then, and says whether a condition came true before the last one."""
        for _ in range(batches):
            if eventually(condition, 0.4):
                return True
            self._batches.release()
        return eventually(condition, 0.4)
