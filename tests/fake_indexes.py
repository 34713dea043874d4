"""Vector indexes that live as long as a test, in the place of folders with Chroma stores."""

from collections.abc import Callable

from kb.ports import VectorIndex
from tests.fakes import FakeVectorIndex


class FakeIndexStores:
    """Keeps the generations of an index in memory.

    Args:
        make: Makes an empty index.
    """

    def __init__(self, make: Callable[[], VectorIndex] = FakeVectorIndex) -> None:
        self.indexes: dict[str, VectorIndex] = {}
        self._make = make

    def create(self, generation: str, space: str) -> VectorIndex:
        assert generation not in self.indexes
        self.indexes[generation] = self._make()
        return self.indexes[generation]

    def open(self, generation: str, space: str) -> VectorIndex | None:
        return self.indexes.get(generation)

    def keep_only(self, *generations: str) -> None:
        self.indexes = {name: index for name, index in self.indexes.items() if name in generations}
