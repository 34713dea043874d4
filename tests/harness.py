"""A knowledge base over the fakes, a pipeline over real folders, and a real server, for tests of several rooms."""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from ingest.folders.watcher import FolderWatcher
from ingest.pipeline.pipeline import Pipeline
from kb.adapters.personal_data import find_personal
from kb.answering.engines.models import Models
from kb.answering.prompts.instruction_finders import InstructionFinders
from kb.answering.understanding.decide import QuestionClassifier
from kb.answering.understanding.question_weights import from_json
from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.data_directory import CATALOG_NAME, DataDirectoryLock
from kb.indexing.startup import open_index
from kb.indexing.upkeep import Upkeep
from kb.judging.instructions import fit_to_examples
from kb.judging.weights import Weights
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import Loading
from kb.observing import Observers
from kb.ports import Embedder, IndexStores, LanguageModel, Reranker, VectorIndex
from kb.search.reranking import NO_RERANKING, reranking_with
from kb.settings import Settings, load
from kb.values.documents import DocumentInfo, Failure
from kb.values.personal import none_found
from kb.values.progress import Report
from server.http.connections import Limits
from server.serving import listen, make_server
from server.settings import ServerSettings
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder, FakeLanguageModel, FakeReranker, FakeVectorIndex

PATIENCE_SECONDS = 60.0
DEBOUNCE_SECONDS = 0.02
FAKE_WEIGHTS = Path(__file__).parent / "fake_question_weights.json"


def quick_settings(home: Path, **more: object) -> ServerSettings:
    """Settings that suit the fakes, and wait for nothing; the environment is not asked."""
    own = {"home": home, "models": home.with_name(f"{home.name}-models")}
    return load({}, kind=ServerSettings, **{**own, "settle_seconds": 0.05, "min_evidence": 0.0, **more})


def open_fake_knowledge_base(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    index: VectorIndex | None = None,
    stores: IndexStores | None = None,
    model: LanguageModel | None = None,
    small: LanguageModel | None = None,
    reranker: Reranker | None = None,
    before_loading: Callable[[str], None] = lambda name: None,
    load_other: Callable[[Space], Embedder | None] = lambda space: None,
) -> KnowledgeBase:
    """What `open_knowledge_base` does, over fakes.

    Args:
        index: The first one; those that take its place are fakes.
        stores: In the place of `index` where a test looks at several generations.
        load_other: Loads the embedding model that was used before, if it is another one.
        small: Beside the answering model; the settings should name one.
        reranker: Loaded if the settings name one.
        before_loading: Called with `embedding`, `answering` or `reranker` in the thread that loads the model; may wait,
            or raise.
    """
    lock, observers = DataDirectoryLock(settings.home), Observers()
    catalog = Catalog(settings.home / CATALOG_NAME)

    def load_index(_: Report) -> Upkeep:
        before_loading("embedding")
        model = embedder or FakeEmbedder()
        space = Space(model.identity)
        return open_index(
            catalog, stores or _stores_with(index), space, model, load_other, reranking, observe=observers
        )

    def load_model(_: Report) -> LanguageModel:
        before_loading("answering")
        return model or FakeLanguageModel()

    def load_reranker(_: Report) -> Reranker:
        before_loading("reranker")
        return reranker or FakeReranker()

    reranks = Loading("reranker", load_reranker) if settings.reranker else None
    reranking = reranking_with(reranks, settings.rerank_depth) if reranks else NO_RERANKING
    loadings = Loading("embedding model", load_index), Loading("answering model", load_model)
    models = Models(
        settings, *loadings, reranks, small_model=Loading("small model", lambda _: small) if small else None
    )
    personal = none_found if settings.pii == "off" else find_personal(settings.pii_regions)
    finders = InstructionFinders(finding_once)
    return KnowledgeBase(settings, lock, catalog, models, fitted_once, observers, personal, finders)


def fitted_once(_: str, embedder: Embedder) -> QuestionClassifier:
    """What was fitted to the fake embedder once, which takes seconds; `test_decide` holds that it is up to date."""
    return QuestionClassifier(from_json(FAKE_WEIGHTS.read_text("utf-8"))[1])


def finding_once(_: str, embedder: Embedder) -> Weights:
    """What is fitted to a fake embedder once in a process, and not for each knowledge base of each test."""
    return _finding(embedder.identity) if isinstance(embedder, FakeEmbedder) else fit_to_examples(embedder)


@functools.cache
def _finding(identity: str) -> Weights:
    return fit_to_examples(FakeEmbedder(identity))


def _stores_with(index: VectorIndex | None) -> IndexStores:
    first = iter([index] if index else [])
    return FakeIndexStores(lambda: next(first, None) or FakeVectorIndex())


class DeafWatcher(FolderWatcher):
    """Watches as the real one does, but each event is lost."""

    def __init__(self, folders: tuple[Path, ...], on_change: Callable[[], object]) -> None:
        super().__init__(folders, lambda: None)


@dataclass
class Watched:
    """A folder that is kept in the index, and what its documents answer."""

    knowledge_base: KnowledgeBase
    pipeline: Pipeline
    folder: Path
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)

    def write(self, source: str, text: str | bytes) -> Path:
        """Writes a file into the folder."""
        path = self.folder / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def sync(self) -> None:
        """Waits until the index equals the folder."""
        assert self.pipeline.sync(PATIENCE_SECONDS)

    @property
    def documents(self) -> dict[str, DocumentInfo]:
        """What is indexed of the folder, by path."""
        found = {
            Path(document.file.root, document.file.source): document for document in self.knowledge_base.documents()
        }
        return {self._name(path): document for path, document in found.items() if self.folder in path.parents}

    @property
    def failures(self) -> dict[str, Failure]:
        """What is not indexed of the folder, by path."""
        found = {Path(failure.file.root, failure.file.source): failure for failure in self.knowledge_base.failures()}
        return {self._name(path): failure for path, failure in found.items() if self.folder in path.parents}

    @property
    def sources(self) -> list[str]:
        """The paths of what is indexed."""
        return list(self.documents)

    @property
    def reasons(self) -> dict[str, str]:
        """Why the rest is not."""
        return {name: failure.reason for name, failure in self.failures.items()}

    def finds(self, words: str) -> list[str]:
        """The paths of the documents in which a passage has all of the words."""
        names = {document.id: name for name, document in self.documents.items()}
        wanted = set(words.casefold().split())
        return [
            names[passage.document_id]
            for passage in self.knowledge_base.search(words, 50)
            if wanted <= set(passage.text.casefold().replace(".", " ").split()) and passage.document_id in names
        ]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


@contextmanager
def watching(
    settings: ServerSettings,
    folder: Path,
    *others: Path,
    embedder: FakeEmbedder | None = None,
    index: VectorIndex | None = None,
    model: LanguageModel | None = None,
) -> Iterator[Watched]:
    """Opens a data directory and watches folders, until the block ends."""
    embedder = embedder or FakeEmbedder()
    with open_fake_knowledge_base(settings, embedder=embedder, index=index, model=model) as knowledge_base:
        pipeline = Pipeline(knowledge_base, [folder, *others], settings, debounce_seconds=DEBOUNCE_SECONDS)
        pipeline.start()
        try:
            yield Watched(knowledge_base, pipeline, folder, embedder)
        finally:
            pipeline.stop()


def take_permission(path: Path) -> None:
    """Takes all permissions of a file or folder away; skips the test for a user who needs none."""
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


def eventually(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@dataclass
class Served(Watched):
    """The whole service, behind a real socket."""

    url: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)


@contextmanager
def serving(
    settings: ServerSettings,
    folder: Path,
    *,
    embedder: FakeEmbedder | None = None,
    model: LanguageModel | None = None,
    stores: IndexStores | None = None,
    before_loading: Callable[[str], None] = lambda name: None,
    limits: Limits | None = None,
) -> Iterator[Served]:
    """Runs the service as `kb serve` does, in a thread, and announces it to the commands."""
    embedder = embedder or FakeEmbedder()
    headers = {"authorization": f"Bearer {settings.token}"} if settings.token else {}
    with (
        open_fake_knowledge_base(
            settings, embedder=embedder, model=model, stores=stores, before_loading=before_loading
        ) as knowledge_base,
        listen("127.0.0.1", 0) as listener,
    ):
        pipeline = Pipeline(knowledge_base, [folder], settings, debounce_seconds=DEBOUNCE_SECONDS)
        server = make_server(knowledge_base, pipeline, settings, limits)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        knowledge_base.announce(url)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as client:
                assert eventually(lambda: server.started)
                yield Served(knowledge_base, pipeline, folder, embedder, url, client)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "the server does not end"
