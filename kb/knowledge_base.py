"""`KnowledgeBase`, the facade over everything in `kb`: documents in, cited answers out.

Knows nothing about how its parts are made; that is `kb.wiring`.
"""

import datetime
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from pathlib import PurePosixPath

from kb.answering.decide import FitClassifier, classifier_for
from kb.answering.models import Models
from kb.answering.questions import Questions
from kb.catalog.catalog import Catalog
from kb.data_directory import DataDirectoryLock
from kb.errors import KBError, NotFound
from kb.ports import Freshness
from kb.settings import Settings
from kb.values.answers import Answer, AnswerEvent, Done, IndexState, Thinking
from kb.values.chat import Turn
from kb.values.documents import Chunk, Document, DocumentInfo, Failure, FailureKind, FileVersion, WatchedFolder
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage
from kb.values.progress import Progress


class KnowledgeBase:
    """Documents in, cited answers out.

    Safe for use by several threads. One of them replaces, moves and removes documents, notes syncs and maintains; any
    may forget, ask for a new index, and clear failures meanwhile.

    Args:
        settings: What `kb` reads of them.
        lock: Held until `close`.
        catalog: Closed by `close`.
        models: Closed by `close`.
        fit_classifier: See `kb.answering.questions.Questions`.

    Attributes:
        models: The models in use: how far each is, and waiting for them.
    """

    def __init__(
        self,
        settings: Settings,
        lock: DataDirectoryLock,
        catalog: Catalog,
        models: Models,
        fit_classifier: FitClassifier = classifier_for,
    ) -> None:
        self.settings = settings
        self._lock = lock
        self._catalog = catalog
        self.models = models
        self._questions = Questions(settings, models, self.index_state, catalog, fit_classifier)
        self._closing = threading.Event()
        self._pending = 0
        self._has_synced = False

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops generation, closes all files and gives the data directory back."""
        self._closing.set()
        self.models.close()
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
        filters: Filters = EVERYTHING,
    ) -> Generator[AnswerEvent, None, None]:
        """Answers a question bit by bit.

        Closing the generator stops the work.

        Args:
            question: At most `settings.max_question_chars` long.
            history: Earlier turns, oldest first.
            thinking: How long a reasoning model may think; None: as in the settings.
            top_k: How many passages, 1…50; None: as in the settings.
            filters: Which documents may answer.

        Raises:
            InvalidRequest: The question is empty or too long.
            ModelError: A model is missing, does not load, or is busy.
        """
        return self._questions.ask(question, history, thinking, top_k, filters)

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages without answering.

        Args:
            query: At most `settings.max_question_chars` long.
            top_k: How many passages, 1…50; None: as in the settings.
            filters: Which documents are searched.
        """
        return self._questions.search(query, top_k, filters)

    def check_files_with(self, files: Freshness) -> None:
        """Has the files of what is found compared with the index before a question is answered; else nobody does."""
        self._questions.files = files

    # Documents

    def documents(self, limit: int | None = None, after: tuple[str, str] = ("", "")) -> list[DocumentInfo]:
        """Indexed documents, ordered by folder and path. See `Catalog.documents`."""
        return self._catalog.documents(limit, after)

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
        """A stretch of a document's text, in characters; without an end, to the end.

        Raises:
            NotFound: There is no such document.
        """
        text = self._catalog.text(document_id, start, end)
        if text is None:
            raise NotFound(f"no document has the id {document_id!r}")
        return text

    def failures(self) -> list[Failure]:
        """Files that could not be indexed, with the reason."""
        return self._catalog.ledger.failures()

    def replace(
        self,
        file: FileVersion,
        document: Document,
        chunks: Sequence[Chunk],
        check: Callable[[], None] = lambda: None,
        *,
        recipe: str = "",
    ) -> str:
        """Indexes a file's content in the place of what was known of the file before.

        Readers see the old version until this returns, and the new one after. Where the user has forgotten this very
        version of the file meanwhile, nothing changes.

        Args:
            check: Called between batches; what it raises ends the work, and nothing has changed.
            recipe: Version of readers and chunker; see `DocumentInfo.recipe`.

        Returns:
            The document's id.
        """
        return self.models.live_index().replace(file, document, chunks, self._while_open(check), recipe)

    def outdate(self, document_ids: Iterable[str] | None = None) -> int:
        """Takes the recipe off documents, so that their files are read anew. See `Catalog.outdate`."""
        return self._catalog.outdate(document_ids)

    def move(self, document_id: str, file: FileVersion) -> None:
        """Notes a file's new place or times; nothing is embedded. A title made of the file's name follows it.

        A document that is gone is left alone: somebody may just have forgotten it.
        """
        document = self._catalog.document(document_id)
        if document is not None:
            is_named_after_file = document.title == PurePosixPath(document.file.source).stem
            title = PurePosixPath(file.source).stem if is_named_after_file else document.title
            self._catalog.move(document_id, file, title)

    def remove(self, document_id: str) -> None:
        """Removes a document whose file is gone."""
        self.models.live_index().remove(document_id)

    def forget(self, document_id: str) -> DocumentInfo:
        """Removes a document at the user's wish; its file, which is not touched, is passed over until it changes.

        It answers no more when this returns. Once `maintain` has nothing more to do, no byte of its text or its vectors
        is left in the data directory.

        Raises:
            NotFound: There is no such document.
        """
        upkeep = self.models.upkeep.get()
        forgotten = upkeep.live_index.forget(document_id) if upkeep else self._catalog.forget(document_id)
        return forgotten or self.document(document_id)

    def record_failure(
        self,
        file: FileVersion,
        reason: str,
        hint: str,
        *,
        kind: FailureKind = FailureKind.UNREADABLE,
        next_try_at: datetime.datetime | None = None,
    ) -> None:
        """Notes why a file is not indexed.

        Args:
            next_try_at: When it is tried again by itself; None: not before it changes or the user asks for it.
        """
        self._catalog.ledger.record_failure(file, reason, hint, kind, next_try_at)

    def clear_failure(self, root: str, source: str) -> None:
        """Forgets why a file was not indexed, so that it is tried again."""
        self._catalog.ledger.clear_failure(root, source)

    def retry_failures(self) -> int:
        """Forgets why files were not indexed, so that they are tried again; not of those that the user has forgotten.

        Returns:
            How many.
        """
        return self._catalog.ledger.retry_failures()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Counts tokens as the embedding model does."""
        return self.models.ready_upkeep().embedder.count_tokens(texts)

    # The index

    def renew_index(self) -> None:
        """Asks for a vector index made anew beside the old one, from stored embeddings. `maintain` makes it."""
        self._catalog.ledger.add("renewals")

    def reembed(self) -> None:
        """Asks for all embeddings to be computed anew; the old ones answer meanwhile. `maintain` computes them."""
        self._catalog.ledger.add("revision")

    def maintain(self, check: Callable[[], None] = lambda: None) -> bool:
        """Takes one step of the work that the index needs beside documents; for the thread that replaces documents.

        Args:
            check: Called before; what it raises ends the step.

        Returns: Whether there is more to do.
        """
        return self.models.ready_upkeep().step(self._while_open(check), keep_unused=not self._has_synced)

    def index_work(self) -> Progress | None:
        """How far the making of a new index is, in chunks; None when none is being made."""
        upkeep = self.models.upkeep.get()
        return upkeep.progress if upkeep else None

    # State

    def wait_for_index(self, timeout_seconds: float | None = None) -> bool:
        """Waits until documents can be indexed and found. See `Models.wait_for_index`."""
        return self.models.wait_for_index(timeout_seconds)

    def counts(self) -> tuple[int, int]:
        """Numbers of documents and chunks."""
        return self._catalog.counts()

    def index_state(self) -> IndexState:
        """How current the index is. What the user has forgotten is no failure."""
        ledger = self._catalog.ledger
        return IndexState(self._pending, ledger.failure_count(), ledger.last_sync())

    def next_try_at(self) -> datetime.datetime | None:
        """When a file that has failed is tried again by itself; None: none is."""
        return self._catalog.ledger.next_try_at()

    def note_pending(self, files: int) -> None:
        """Tells how many files wait to be indexed."""
        self._pending = files

    def note_sync(self) -> None:
        """Tells that the index equals the folders now.

        The first time, vectors without a chunk go: no work that was cut off will need them.
        """
        if not self._has_synced:
            self._catalog.embeddings.drop_unused()
            self._has_synced = True
        self._catalog.ledger.note_sync()

    def folders(self) -> list[WatchedFolder]:
        """The folders that were watched when the service last ran, in the order given; the first takes uploads."""
        return self._catalog.ledger.folders()

    def remember_folders(self, folders: Sequence[WatchedFolder]) -> None:
        """Notes which folders are watched."""
        self._catalog.ledger.remember_folders(folders)

    def announce(self, url: str) -> None:
        """Tells other processes of this user where this one listens."""
        self._lock.announce(url)

    def _while_open(self, check: Callable[[], None]) -> Callable[[], None]:
        def may_go_on() -> None:
            if self._closing.is_set():
                raise KBError("the knowledge base is being closed")
            check()

        return may_go_on
