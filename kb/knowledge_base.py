"""`KnowledgeBase`, the facade over everything in `kb`: documents in, cited answers out.

Knows nothing about how its parts are made; that is `kb.wiring`.
"""

import datetime
import functools
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from kb.answering.engines.judges import Judges
from kb.answering.engines.local_only import LocalOnly
from kb.answering.engines.models import Models
from kb.answering.idle_digests import IdleDigests
from kb.answering.kinds.kind import Resources
from kb.answering.marking import marked
from kb.answering.observed import observed
from kb.answering.prompts.instruction_finders import InstructionFinders
from kb.answering.questions import Questions
from kb.answering.understanding.decide import FitClassifier
from kb.answering.understanding.question_weights import FOLDER_NAME, classifier_for
from kb.catalog.catalog import Catalog
from kb.conversations.store import ConversationStore
from kb.data_directory import CONVERSATIONS_NAME, DataDirectoryLock
from kb.documents import Documents
from kb.observing import Observers
from kb.ports import FindPersonal, Freshness
from kb.settings import Settings
from kb.values.answers import (
    AS_SET,
    Answer,
    AnswerEvent,
    AskOptions,
    CheckedStatement,
    Done,
    IndexState,
    Routing,
    Thinking,
    Verification,
)
from kb.values.chat import Heartbeat, Message, Turn
from kb.values.documents import WatchedFolder
from kb.values.filters import EVERYTHING, Filters
from kb.values.happenings import Happening
from kb.values.passages import Passage
from kb.values.personal import none_found
from kb.values.progress import Progress


class KnowledgeBase(Documents):
    """Documents in, cited answers out.

    Safe for use by several threads. One of them replaces, moves and removes documents, notes syncs and maintains; any
    may forget, ask for a new index, and clear failures meanwhile.

    Args:
        settings: What `kb` reads of them.
        lock: Held until `close`.
        catalog: Closed by `close`.
        models: Closed by `close`.
        fit_classifier: See `kb.answering.questions.Questions`; None: fits once, and keeps it beside the models.
        observers: Whom the parts of this knowledge base tell what happens; None: it has its own.
        find_personal: Finds what answers mark, and what is not to be indexed, as the settings want it.
        finders: Find what is kept from the models; None: those of `weights_for`.

    Attributes:
        models: The models in use: how far each is, and waiting for them.
        observers: Are told what happens; whoever counts or logs adds himself.
    """

    def __init__(
        self,
        settings: Settings,
        lock: DataDirectoryLock,
        catalog: Catalog,
        models: Models,
        fit_classifier: FitClassifier | None = None,
        observers: Observers | None = None,
        find_personal: FindPersonal = none_found,
        finders: InstructionFinders | None = None,
    ) -> None:
        keeps = settings.keep_conversations == "on"
        self.observers = observers or Observers()
        self.settings = settings
        self._find_personal = find_personal
        super().__init__(
            catalog,
            models,
            ConversationStore(settings.home / CONVERSATIONS_NAME, keeps=keeps),
            find_personal if settings.pii == "mask" else none_found,
            self.observers,
        )
        self._lock = lock
        judges = Judges(models.calibrations.find, models.appointed_judge)
        self._resources = Resources(
            settings, models, catalog, judges, finders or InstructionFinders(), LocalOnly(settings.local_only)
        )
        self._digests = IdleDigests(self._resources)
        fit = fit_classifier or functools.partial(classifier_for, kept=settings.models / FOLDER_NAME)
        self._questions = Questions(self._resources, self.index_state, fit)
        self._pending = 0
        self._has_synced = False

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops generation, closes all files and gives the data directory back."""
        self._closing.set()
        self._digests.close()
        self.models.close()
        self.conversations.close()
        self._catalog.close()
        self._lock.release()

    # Questions

    def ask(self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET) -> Answer:
        """Answers a question. See `ask_stream`."""
        with closing(self.ask_stream(question, history, options)) as events:
            return next(event.answer for event in events if isinstance(event, Done))

    def ask_stream(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[AnswerEvent, None, None]:
        """Answers a question bit by bit.

        Closing the generator stops the work.

        Args:
            question: At most `settings.max_question_chars` long.
            history: Earlier turns, oldest first.
            options: How it is to be answered.

        Raises:
            InvalidRequest: The question is empty or too long.
            ModelError: A model is missing, does not load, or is busy.
        """
        events = self._questions.ask(question, history, options)
        events = observed(events, options.thinking or self.settings.thinking, self.observers)
        return marked(events, self._find_personal)

    def prepare(self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET) -> None:
        """Prepares for a question that is being written: its sources are found, and read by the model on this machine.

        Comes back before they are read. It is done while nobody asks, and not at all where models are not loaded,
        `read_ahead` is off, or another question is just being looked into; nothing of it is kept but what the model
        has read. See `ask_stream` for the arguments.

        Raises:
            InvalidRequest: The question is empty or too long.
        """
        self._questions.prepare(question, history, options)

    def talk(
        self,
        messages: Sequence[Message],
        thinking: Thinking | None = None,
        answer_tokens: int | None = None,
        routing: Routing | None = None,
    ) -> Generator[AnswerEvent, None, None]:
        """Lets the answering model reply to messages as it is: nothing is searched, and nothing cited.

        Closing the generator stops the work.

        Args:
            messages: The last one is replied to; of those before, the oldest are left out where there is no room.
            thinking: How long a reasoning model may think; None: as in the settings.
            answer_tokens: As in `AskOptions`.
            routing: `small` for the small model, else the large one.

        Raises:
            PromptTooLong: The last message alone does not fit into the context window.
            ModelError: The model is missing, does not load, or is busy.
        """
        events = self._questions.talk(messages, thinking, answer_tokens, routing)
        return observed(events, thinking or self.settings.thinking, self.observers, is_talk=True)

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages without answering.

        Args:
            query: At most `settings.max_question_chars` long.
            top_k: How many passages, 1…50; None: as in the settings.
            filters: Which documents are searched.
        """
        return self._questions.search(query, top_k, filters)

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Verification:
        """Checks any text statement by statement. See `verify_stream`."""
        with closing(self.verify_stream(text, question, sources, filters)) as events:
            return next(event for event in events if isinstance(event, Verification))

    def verify_stream(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        """Checks any text statement by statement: a draft, or what another model has answered.

        Closing the generator stops the work.

        Args:
            question: What the text answers; then it may be no more than a word.
            sources: What it is held against; empty: the documents.
            filters: Which documents, where no sources are given.

        Yields:
            Each statement when it is checked, and the `Verification` last.

        Raises:
            InvalidRequest: The text is empty, too long, or has too many statements.
            ModelError: A model is missing, does not load, or is busy.
        """
        return self._questions.verify(text, question, sources, filters)

    def check_files_with(self, files: Freshness) -> None:
        """Has the files of what is found compared with the index before a question is answered; else nobody does."""
        self._resources.files = files

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

    def fit_ahead(self) -> None:
        """Fits what decides about questions to a new embedding model as soon as it is loaded, in a thread of its own.

        Else the first question waits for it, up to a minute. A model elsewhere may cost money: nothing is fitted ahead.
        """
        if not ((remote := self.settings.remote_embedder) and remote.is_elsewhere):
            threading.Thread(target=self._questions.fit_ahead, name="fit-ahead", daemon=True).start()

    def digest_when_idle(self) -> None:
        """Has new documents read whole, while nobody asks and no file waits, if the user wants that."""
        if self.settings.digest == "idle":
            self._digests.start(lambda: self._questions.is_idle and not self._pending)

    def calibrate_when_idle(self) -> None:
        """Has a new answering model tried out as a judge, while nobody asks and no file waits."""
        self.models.calibrate_when(lambda: self._questions.is_idle and not self._pending)

    def wait_for_index(self, timeout_seconds: float | None = None) -> bool:
        """Waits until documents can be indexed and found. See `Models.wait_for_index`."""
        return self.models.wait_for_index(timeout_seconds)

    @property
    def asking(self) -> tuple[int, int]:
        """How many questions are being answered, and how many wait for the model."""
        return self._questions.asking

    def observe(self, happening: Happening) -> None:
        """Passes on what has happened elsewhere."""
        self.observers(happening)

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
