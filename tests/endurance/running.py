"""A knowledge base over real SQLite and real Chroma that watches a folder; only the models are fakes."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest.pipeline.pipeline import Pipeline
from kb.adapters.chroma.local import ChromaStores
from kb.knowledge_base import KnowledgeBase
from kb.ports import VectorIndex
from kb.settings import Settings
from kb.wiring import INDEX_NAME
from tests.endurance.comparing import differences, storage_differences
from tests.fakes import FakeEmbedder
from tests.harness import DEBOUNCE_SECONDS, Watched, eventually, open_fake_knowledge_base

SYNC_SECONDS = 900.0
UPKEEP_SECONDS = 30.0


class OpenStores(ChromaStores):
    """Remembers the indexes that it has opened, so that a test can look into them."""

    def __init__(self, home: Path) -> None:
        super().__init__(home / INDEX_NAME)
        self._indexes: dict[str, VectorIndex] = {}

    def create(self, generation: str, space: str) -> VectorIndex:
        self._indexes[generation] = super().create(generation, space)
        return self._indexes[generation]

    def open(self, generation: str, space: str) -> VectorIndex | None:
        index = super().open(generation, space)
        if index is not None:
            self._indexes[generation] = index
        return index

    def ids(self, generation: str) -> set[str]:
        """What is in an index."""
        return self._indexes[generation].ids()


@dataclass
class Running(Watched):
    """A watched folder, and what differs between it and its index."""

    stores: OpenStores = field(kw_only=True)

    def sync(self) -> None:
        assert self.pipeline.sync(SYNC_SECONDS)

    def differences(self, words: Collection[str] = ()) -> list[str]:
        """Syncs and compares; see `comparing.differences`."""
        self.sync()
        return [*differences(self.folder, self.knowledge_base, words), *self._storage_differences()]

    def _storage_differences(self) -> list[str]:
        """What is left of differences inside the data directory when the upkeep has had its time."""
        home = self.knowledge_base.settings.home
        eventually(lambda: not storage_differences(home, self.stores.ids), UPKEEP_SECONDS)
        return storage_differences(home, self.stores.ids)


@contextmanager
def knowledge_base_over_chroma(
    settings: Settings, embedder: FakeEmbedder | None = None
) -> Iterator[tuple[KnowledgeBase, OpenStores]]:
    """Opens a data directory until the block ends."""
    stores = OpenStores(settings.home)
    with open_fake_knowledge_base(settings, embedder=embedder, stores=stores) as knowledge_base:
        yield knowledge_base, stores


@contextmanager
def running(settings: Settings, folder: Path, embedder: FakeEmbedder | None = None) -> Iterator[Running]:
    """Opens a data directory and watches a folder until the block ends."""
    embedder = embedder or FakeEmbedder()
    with knowledge_base_over_chroma(settings, embedder) as (knowledge_base, stores):
        pipeline = Pipeline(knowledge_base, [folder], settings, debounce_seconds=DEBOUNCE_SECONDS)
        pipeline.start()
        try:
            yield Running(knowledge_base, pipeline, folder, embedder, stores=stores)
        finally:
            pipeline.stop()
