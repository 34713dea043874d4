"""Catalog, index and upkeep over a fake embedder, which can be stopped and started again as a process would be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.indexing.live_index import LiveIndex
from kb.indexing.startup import open_index
from kb.indexing.upkeep import Upkeep
from kb.ports import IndexStores, VectorIndex
from kb.search.dense import vector_id
from kb.values.documents import Chunk, Document, FileVersion
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder

WHALE, FOX, CAT = "the blue whale", "the red fox", "知识库里的猫"


def file_named(source: str, modified_ns: int = 1_000) -> FileVersion:
    return FileVersion("/notes", source, 10, modified_ns, "content", modified_ns)


def document_of(*texts: str, context: str = "") -> tuple[Document, list[Chunk]]:
    """A document, a chunk for each text."""
    chunks, start = [], 0
    for text in texts:
        chunks.append(Chunk(start, start + len(text), text, context=context, tokens=len(text)))
        start += len(text) + 1
    return Document("a title", "text/markdown", "\n".join(texts), ()), chunks


@dataclass
class Running:
    """What a process has open.

    Args:
        before: Embedding models that are still there, though another one is wanted.
    """

    catalog: Catalog
    stores: IndexStores = field(default_factory=FakeIndexStores)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    before: tuple[FakeEmbedder, ...] = ()

    def __post_init__(self) -> None:
        space = Space(self.embedder.identity, model=self.embedder.identity)
        self.upkeep: Upkeep = open_index(self.catalog, self.stores, space, self.embedder, self._load)

    def _load(self, space: Space) -> FakeEmbedder | None:
        return next((model for model in self.before if model.identity == space.model == space.identity), None)

    @property
    def live_index(self) -> LiveIndex:
        return self.upkeep.live_index

    @property
    def index(self) -> VectorIndex:
        return self.live_index.serving.index

    @property
    def generation(self) -> str:
        record = self.catalog.ledger.index_record()
        assert record is not None
        return record.generation

    def write(self, *texts: str, source: str = "a.md", context: str = "", modified_ns: int = 1_000) -> str:
        file = file_named(source, modified_ns)
        return self.live_index.replace(file, *document_of(*texts, context=context), lambda: None)

    def maintain(self, steps: int = 1000, keep_unused: bool = False) -> int:
        """Takes steps until there is nothing more to do; gives their number."""
        for number in range(steps):
            if not self.upkeep.step(lambda: None, keep_unused=keep_unused):
                return number
        return steps

    def found(self, query: str) -> list[str]:
        return [passage.text for passage in self.live_index.passages(query, 10)]

    def assert_in_step(self) -> None:
        """Every chunk has its vector in the space that answers, and no vector is without a chunk."""
        keys = self.catalog.chunks.keys()
        assert self.index.ids() == {vector_id(*key) for key in keys}
        hashes = {text_hash for _, text_hash in keys}
        assert self.catalog.embeddings.known(self.live_index.serving.space.key, hashes) == hashes


@contextmanager
def running(
    home: Path,
    stores: IndexStores | None = None,
    embedder: FakeEmbedder | None = None,
    before: tuple[FakeEmbedder, ...] = (),
) -> Iterator[Running]:
    """Opens a data directory, until the block ends."""
    home.mkdir(exist_ok=True)
    catalog = Catalog(home / "catalog.sqlite3")
    process = Running(catalog, stores or FakeIndexStores(), embedder or FakeEmbedder(), before)
    try:
        yield process
    finally:
        process.upkeep.close()
        catalog.close()
