"""Stores and indexes that end as if their process had been killed."""

from collections.abc import Iterable, Sequence

from kb.ports import VectorIndex, Vectors
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeVectorIndex


class Killed(BaseException):
    """As if the process had ended there."""


class MortalStores(FakeIndexStores):
    """Ends the process before the n-th write to any of its indexes."""

    def __init__(self) -> None:
        super().__init__(lambda: MortalIndex(self))
        self.writes_left = 1_000_000

    def create(self, generation: str, space: str) -> VectorIndex:
        self.note_write()
        return super().create(generation, space)

    def keep_only(self, *generations: str) -> None:
        self.note_write()
        super().keep_only(*generations)

    def note_write(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Killed


class MortalIndex(FakeVectorIndex):
    def __init__(self, stores: MortalStores) -> None:
        super().__init__()
        self._stores = stores

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._stores.note_write()
        super().upsert(ids, vectors)

    def delete(self, ids: Iterable[str]) -> None:
        self._stores.note_write()
        super().delete(ids)

    def close(self) -> None:
        self._stores.note_write()
