"""Texts, a slow embedding model and an index that fails, for several tests of the pipeline."""

import time
from collections.abc import Iterable, Sequence

from kb.errors import StorageError
from kb.ports import Vectors
from tests.fakes import FakeEmbedder, FakeVectorIndex

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
    """Has no room as long as it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.unforeseen: Exception | None = None

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        if self.unforeseen:
            raise self.unforeseen
        if self.full:
            raise StorageError("the disk is full", "free some space")
        super().upsert(ids, vectors)

    def delete(self, ids: Iterable[str]) -> None:
        if self.unforeseen:
            raise self.unforeseen
        super().delete(ids)
