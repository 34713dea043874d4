"""Reads new documents whole while nobody asks, so that their summaries come at once (`KB_DIGEST=idle`)."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing

from kb.answering.engines.routing import engines_here
from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.document.reading import Reader
from kb.answering.kinds.document.shape import DEFAULT_ITEMS, Shape
from kb.answering.kinds.kind import Resources
from kb.errors import KBError
from kb.text.languages import language
from kb.values.documents import DocumentInfo

logger = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
_TELLING = 20  # chunks, by which the language of a document is told
_SHAPE = Shape("paragraph", DEFAULT_ITEMS["paragraph"])


class IdleDigests:
    """Reads one document after the other, those that came last first; a question that comes stops it within a second.

    What is read by then is kept. An engine elsewhere is never used: it may cost money.

    Args:
        resources: The model that answers, and the catalog.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._done: set[tuple[str, str]] = set()

    def start(self, is_idle: Callable[[], bool]) -> None:
        """Begins, in a thread of its own; once is enough.

        Args:
            is_idle: Whether nobody waits for the machine now.
        """
        if self._thread is None and "large" in engines_here(self._resources.settings):
            self._thread = threading.Thread(target=self._run, args=(is_idle,), name="digests", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stops; waits a moment for what is under way."""
        self._closing.set()
        if self._thread:
            self._thread.join(2 * _POLL_SECONDS)

    def _run(self, is_idle: Callable[[], bool]) -> None:
        while not self._closing.wait(_POLL_SECONDS):
            try:
                if is_idle() and (reader := self._reader()) and (document := self._next()):
                    self._read(reader, document, is_idle)
            except KBError as error:
                if not self._closing.is_set():
                    logger.warning("a document could not be read ahead: %s", error)

    def _reader(self) -> Reader | None:
        """None while a model loads."""
        models, resources = self._resources.models, self._resources
        upkeep, model = models.upkeep.get(), models.answering_model.get()
        if upkeep is None or model is None:
            return None
        serving = upkeep.live_index.serving
        writer = CheckedWriter(model, resources.judges.judge(model), serving.embedder.embed_passages)
        return Reader(resources.catalog, writer, serving.space.key, resources.finders.of(serving).found)

    def _next(self) -> DocumentInfo | None:
        documents = self._resources.catalog.documents()
        waiting = (each for each in documents if each.chunk_count and _version(each) not in self._done)
        return max(waiting, key=lambda document: document.indexed_at, default=None)

    def _read(self, reader: Reader, document: DocumentInfo, is_idle: Callable[[], bool]) -> None:
        self._done.add(_version(document))  # also if it fails: it would fail again and again
        if not (chunks := self._resources.catalog.chunks.of_document(document.id)):
            return
        spoken = language("\n".join(stored.chunk.text for stored in chunks[:_TELLING]))
        with closing(reader.summary(chunks, _SHAPE, spoken)) as events:
            for _ in events:
                if self._closing.is_set() or not is_idle():
                    self._done.remove(_version(document))
                    return
        logger.info("%s has been read ahead", document.file.source)


def _version(document: DocumentInfo) -> tuple[str, str]:
    return document.id, document.file.sha256
