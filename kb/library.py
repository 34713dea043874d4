"""`KnowledgeBase`, the facade over everything in `kb`, and `open_library`, the only wiring.

    from kb.library import open_library

    with open_library() as library:
        print(library.ask("What did we decide about the second dome?").answer)

Opening is quick: models load in the background, or when they are first needed.
"""

import datetime
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType

from kb.answer import Request, answer_events
from kb.catalog import Catalog
from kb.embedder import SentenceTransformerEmbedder
from kb.errors import InvalidRequest, KBError, NotFound, RequestTooLarge
from kb.generation import GenerationOptions, LanguageModelInfo
from kb.llm import LlamaModel
from kb.loading import Loading, LoadState, LoadStatus, Report
from kb.lock import DataDirectoryLock
from kb.models import ModelStore
from kb.ports import LanguageModel
from kb.retrieval import Retrieval, open_index
from kb.settings import Settings, load
from kb.types import (
    Answer,
    AnswerEvent,
    Chunk,
    Document,
    DocumentInfo,
    Done,
    Failure,
    FileVersion,
    IndexState,
    Passage,
    Thinking,
    Turn,
)

logger = logging.getLogger(__name__)

CATALOG_NAME = "catalog.sqlite3"
INDEX_NAME = "chroma"

MAX_TOP_K = 50
HEARTBEAT_SECONDS = 0.5

PATIENCE_SECONDS = 60.0
"""How long a question waits for models that load from disk; a download is not waited for."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model as the user sees it.

    Attributes:
        note: One sentence on the choice: which model it is, and how to get a better one.
        info: Of the loaded language model; None for the embedding model, or before it is loaded.
    """

    name: str
    note: str
    loading: LoadStatus
    info: LanguageModelInfo | None = None


class KnowledgeBase:
    """Documents in, cited answers out. Safe for use by several threads; one of them may write.

    Args:
        settings: All of it.
        lock: Held until `close`.
        catalog: Closed by `close`.
        retrieval: Loads embedding model and vector index.
        model: Loads the answering model.
    """

    def __init__(
        self,
        settings: Settings,
        lock: DataDirectoryLock,
        catalog: Catalog,
        retrieval: Loading[Retrieval],
        model: Loading[LanguageModel],
    ) -> None:
        self.settings = settings
        self._lock = lock
        self._catalog = catalog
        self._retrieval = retrieval
        self._model = model
        self._store = ModelStore(settings.models)
        self._closing = threading.Event()
        self._pending = 0
        self._has_synced = False

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops generation, closes all files and gives the data directory back."""
        self._closing.set()
        self._model.close()
        self._retrieval.close()
        self._catalog.close()
        self._lock.release()

    # Questions

    def ask(self, question: str, history: Sequence[Turn] = (), thinking: Thinking | None = None) -> Answer:
        """Answers a question. See `ask_stream`."""
        with closing(self.ask_stream(question, history, thinking)) as events:
            return next(event.answer for event in events if isinstance(event, Done))

    def ask_stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        thinking: Thinking | None = None,
        top_k: int | None = None,
    ) -> Generator[AnswerEvent, None, None]:
        """Answers a question bit by bit.

        Closing the generator stops the work.

        Args:
            question: At most `settings.max_question_chars` long.
            history: Earlier turns, oldest first.
            thinking: How long a reasoning model may think; None: as in the settings.
            top_k: How many passages, 1…50; None: as in the settings.

        Raises:
            InvalidRequest: The question is empty or too long.
            ModelError: A model is missing, does not load, or is busy.
        """
        question = self._checked(question, top_k)
        query = f"{history[-1].question}\n{question}" if history else question
        request = Request(
            question=question,
            history=tuple(history),
            options=self._options(thinking or self.settings.thinking),
            passage_tokens=self.settings.passage_tokens,
            min_similarity=self.settings.min_similarity,
        )
        retrieval = self._retrieval.require(PATIENCE_SECONDS)
        return answer_events(
            request,
            retrieve=lambda: retrieval.retriever.passages(query, top_k or self.settings.top_k),
            model=self._model_if_ready,
            embed=retrieval.embedder.embed_passages,
            index=self.index_state(),
        )

    def search(self, query: str, top_k: int | None = None) -> tuple[Passage, ...]:
        """Finds passages without answering.

        Args:
            query: At most `settings.max_question_chars` long.
            top_k: How many passages, 1…50; None: as in the settings.
        """
        query = self._checked(query, top_k)
        return self._retrieval.require(PATIENCE_SECONDS).retriever.passages(query, top_k or self.settings.top_k)

    # Documents

    def documents(self) -> list[DocumentInfo]:
        """All indexed documents."""
        return self._catalog.documents()

    def document(self, document_id: str) -> DocumentInfo:
        """One document.

        Raises:
            NotFound: There is none with this id.
        """
        document = self._catalog.document(document_id)
        if document is None:
            raise NotFound(
                f"no document has the id {document_id!r}", "GET /documents or `kb status` lists what is indexed"
            )
        return document

    def find(self, root: str, source: str) -> DocumentInfo | None:
        """The document that was read from a file, or None."""
        document_id = self._catalog.document_id(root, source)
        return self._catalog.document(document_id) if document_id else None

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """A stretch of a document's text.

        Args:
            start: In characters.
            end: In characters; None: to the end.

        Raises:
            NotFound: There is no such document.
        """
        text = self._catalog.text(document_id, start, end)
        if text is None:
            raise NotFound(f"no document has the id {document_id!r}")
        return text

    def failures(self) -> list[Failure]:
        """Files that could not be indexed, with the reason."""
        return self._catalog.failures()

    def replace(
        self, file: FileVersion, document: Document, chunks: Sequence[Chunk], check: Callable[[], None] = lambda: None
    ) -> str:
        """Indexes a file's content in the place of what was known of the file before.

        Readers see the old version until this returns, and the new one after.

        Args:
            check: Called between batches; what it raises ends the work, and nothing has changed.

        Returns:
            The document's id.
        """

        def may_go_on() -> None:
            self._check_open()
            check()

        return self._retrieval.require(PATIENCE_SECONDS).replace(file, document, chunks, may_go_on)

    def move(self, document_id: str, file: FileVersion) -> None:
        """Notes a file's new place or time; nothing is embedded. A title made of the file's name follows it."""
        document = self.document(document_id)
        is_named_after_file = document.title == PurePosixPath(document.file.source).stem
        title = PurePosixPath(file.source).stem if is_named_after_file else document.title
        self._catalog.move(document_id, file, title)

    def remove(self, document_id: str) -> None:
        """Removes a document whose file is gone."""
        self._retrieval.require(PATIENCE_SECONDS).remove(document_id)

    def forget(self, document_id: str) -> DocumentInfo:
        """Removes a document at the user's wish; its file, which is not touched, is passed over until it changes.

        Raises:
            NotFound: There is no such document.
        """
        document = self.document(document_id)
        self.remove(document_id)
        self.record_failure(
            document.file, "forgotten at your wish", "change the file, or upload it again, to have it indexed again"
        )
        return document

    def record_failure(self, file: FileVersion, reason: str, hint: str) -> None:
        """Notes why a file is not indexed."""
        self._catalog.record_failure(file, reason, hint)

    def clear_failure(self, root: str, source: str) -> None:
        """Forgets why a file was not indexed, so that it is tried again."""
        self._catalog.clear_failure(root, source)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Counts tokens as the embedding model does."""
        return self._retrieval.require(PATIENCE_SECONDS).embedder.count_tokens(texts)

    # State

    def warm_up(self) -> None:
        """Begins to load the models, each in a thread of its own; what failed before is tried again."""
        self._retrieval.start()
        self._model.start()

    def wait_for_retrieval(self, timeout_seconds: float | None = None) -> bool:
        """Waits until documents can be indexed and found; what failed before is tried again.

        Returns:
            Whether they can by now.

        Raises:
            ModelError: The embedding model is missing or does not load.
        """
        self._retrieval.start()
        return self._retrieval.wait(timeout_seconds) is not None

    def wait_for_model(self, timeout_seconds: float | None = None) -> bool:
        """Waits until questions can be answered; what failed before is tried again.

        Returns:
            Whether they can by now.

        Raises:
            ModelError: The answering model is missing or does not load.
        """
        self._model.start()
        return self._model.wait(timeout_seconds) is not None

    def counts(self) -> tuple[int, int]:
        """Numbers of documents and chunks."""
        return self._catalog.counts()

    def index_state(self) -> IndexState:
        """How current the index is."""
        return IndexState(self._pending, len(self._catalog.failures()), self._catalog.last_sync())

    def note_pending(self, files: int) -> None:
        """Tells how many files wait to be indexed."""
        self._pending = files

    def note_sync(self) -> None:
        """Tells that the index equals the folders now.

        The first time, vectors without a chunk go: no work that was cut off will need them. Later ones stay until the
        next start, in case a file comes back.
        """
        if not self._has_synced:
            self._catalog.drop_unused_embeddings()
            self._has_synced = True
        self._catalog.note_sync()

    def last_sync(self) -> datetime.datetime | None:
        """When the index last equalled the folders."""
        return self._catalog.last_sync()

    def folders(self) -> list[str]:
        """The folders that were watched when the service last ran."""
        return self._catalog.folders()

    def remember_folders(self, roots: Iterable[str]) -> None:
        """Notes which folders are watched."""
        self._catalog.remember_folders(roots)

    def announce(self, url: str) -> None:
        """Tells other processes of this user where this one listens."""
        self._lock.announce(url)

    def answering_model(self) -> ModelStatus:
        """The model that answers, and how far it is."""
        model = self._model.get()
        name = model.info.name if model else self._store.choose_answer_model(self.settings.model) or ""
        loading = self._model.status
        coming = loading.progress if loading.state is LoadState.DOWNLOADING else None
        note = f"{coming.label} is being fetched" if coming else self._store.describe_choice(name)
        return ModelStatus(name, note, loading, model.info if model else None)

    def embedding_model(self) -> ModelStatus:
        """The model that embeds, and how far it is."""
        return ModelStatus(self.settings.embedding_model, "", self._retrieval.status)

    def _model_if_ready(self) -> LanguageModel | None:
        if self._model.status.state is LoadState.DOWNLOADING:
            return self._model.require(0)
        return self._model.wait(HEARTBEAT_SECONDS)

    def _options(self, thinking: Thinking) -> GenerationOptions:
        budgets: dict[Thinking, int] = {
            "off": 0,
            "short": self.settings.reasoning_short_tokens,
            "full": self.settings.reasoning_full_tokens,
        }
        return GenerationOptions(reasoning_tokens=budgets[thinking], answer_tokens=self.settings.answer_tokens)

    def _checked(self, question: str, top_k: int | None) -> str:
        question = question.strip()
        limit = self.settings.max_question_chars
        if not question:
            raise InvalidRequest("the question is empty", "write a question")
        if len(question) > limit:
            raise RequestTooLarge(
                f"the question has {len(question):,} characters; the limit is {limit:,}",
                "ask a shorter question; long texts belong into a file in a watched folder",
            )
        if top_k is not None and not 1 <= top_k <= MAX_TOP_K:
            raise InvalidRequest(f"top_k is {top_k}", f"ask for 1 to {MAX_TOP_K} passages")
        return question

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise KBError("the knowledge base is being closed")


def open_library(settings: Settings | None = None) -> KnowledgeBase:
    """Opens a data directory.

    Args:
        settings: None: from environment and `kb.toml`.

    Raises:
        DataDirectoryLocked: Another process has it open.
        StorageError: It cannot be read or written.
    """
    settings = settings or load()
    lock = DataDirectoryLock(settings.home)
    try:
        catalog = Catalog(settings.home / CATALOG_NAME)
    except KBError:
        lock.release()
        raise
    retrieval = Loading("embedding model", lambda report: _load_retrieval(settings, catalog, report))
    model = Loading("answering model", lambda report: _load_model(settings, report))
    return KnowledgeBase(settings, lock, catalog, retrieval, model)


def _load_retrieval(settings: Settings, catalog: Catalog, report: Report) -> Retrieval:
    store = ModelStore(settings.models)
    folder = store.find(settings.embedding_model) or store.pull(settings.embedding_model, report)
    embedder = SentenceTransformerEmbedder(folder, store.identity(folder))
    retrieval = Retrieval(catalog, embedder, open_index(settings.home / INDEX_NAME, embedder.identity))
    try:
        retrieval.sweep()
        retrieval.retriever.passages("warm-up", 1)  # the first search of a process takes several times as long
    except KBError:
        retrieval.close()
        raise
    return retrieval


def _load_model(settings: Settings, report: Report) -> LanguageModel:
    store = ModelStore(settings.models)
    name = store.choose_answer_model(settings.model)
    path: Path | None = store.find(name) if name else None
    if name is None:
        name, path = store.pull_default_answer_model(report)
    elif path is None:
        path = store.pull(name, report)
    return LlamaModel(
        path,
        name,
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        gpu_layers=settings.gpu_layers,
        queue_size=settings.queue_size,
    )
