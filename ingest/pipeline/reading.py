"""Reads files ahead of the one writer: hashes, parses in child processes, cuts into chunks.

While the writer embeds one document, the next ones are read. Changes nothing in the knowledge base.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.chunking.chunker import WHOLE_TOKENS, chunk
from ingest.folders.listing import UNREADABLE_CHARACTER
from ingest.folders.opening import hash_file
from ingest.pipeline.document_index import DocumentIndex
from ingest.pipeline.in_hand import MAX_DEATHS, InHand
from ingest.sandbox.parser import ParserProcess, ParserUnavailable, ReaderDied, ReaderTooSlow
from ingest.sandbox.wire import NotOpened, OutOfMemory
from ingest.settings import IngestSettings
from kb.errors import UnreadableFile
from kb.values.documents import Chunk, Document, FileVersion

RECIPE = "9"
"""Version of readers and chunker: with another one, all files are read anew. To be raised when they give other text or
other chunks for the same file."""

MAX_READERS = 2
"""Files that are read at the same time; embedding needs the rest of the processor."""

MODEST_BYTES = 200_000_000
"""Of memory, enough for nearly all files; of those that need more, one is read at a time."""

AHEAD = 2
"""Files that may be read, or being read, beyond those; each holds its text in memory."""

_ENDED_HINT = "split the file; or try it again with `kb sync --retry` if the end had another reason"


def recipe_by(settings: IngestSettings, read_tokens: int) -> str:
    """The recipe together with what else has all files read anew: what is covered, and an embedding model for which
    chunks are smaller.

    Args:
        read_tokens: What the embedding model reads of a text.
    """
    covered = f", covered: {','.join(settings.pii_regions)}" if settings.pii == "mask" else ""
    return f"{RECIPE}{covered}{f', read: {read_tokens}' if read_tokens < WHOLE_TOKENS else ''}"


class ServiceEnded(ReaderDied):
    """The whole process has ended over the file, more often than chance would have it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a file.

    Attributes:
        file: With its hash, if its bytes could be read.
        document: Without its blocks; None if the content is what is indexed already, or if there is an error.
        error: Why no text can be had from it.
        seconds: What reading took.
        recipe: By which it was read; see `recipe_by`.
    """

    file: FileVersion
    document: Document | None = None
    chunks: Sequence[Chunk] = ()
    error: UnreadableFile | None = None
    seconds: float = 0.0
    recipe: str = ""


class Readers:
    """Threads that read, each with a child process of its own.

    Args:
        knowledge_base: Asked what is indexed; not changed.
        settings: What a file may cost.
        on_read: Called from a thread of the pool when a reading is there.
        in_hand: Notes what is read, and knows what is not to be tried again.
        modest_bytes: Of memory, that any file gets; one that needs more is read again, and one such at a time.
    """

    def __init__(
        self,
        knowledge_base: DocumentIndex,
        settings: IngestSettings,
        on_read: Callable[[], object],
        in_hand: InHand,
        *,
        modest_bytes: int = MODEST_BYTES,
    ) -> None:
        self._knowledge_base = knowledge_base
        self._settings = settings
        self._on_read = on_read
        self._in_hand = in_hand
        count = max(1, min(MAX_READERS, os.cpu_count() or 1))
        self._parsers = [ParserProcess(observe=knowledge_base.observe) for _ in range(count)]
        # The last one that was put back is taken first, so that files that come one by one start one process.
        self._idle: queue.LifoQueue[ParserProcess] = queue.LifoQueue()
        for parser in self._parsers:
            self._idle.put(parser)
        self._threads = ThreadPoolExecutor(count, "reader")
        self._modest_bytes = modest_bytes
        self._with_much_memory = threading.Lock()
        self._closed = threading.Event()
        self.capacity = count + AHEAD
        """How many readings may be under way or wait to be taken."""

    def close(self) -> None:
        """Ends all child processes; readings that are under way fail with `ParserUnavailable`."""
        self._closed.set()
        for parser in self._parsers:
            parser.close()
        self._threads.shutdown(cancel_futures=True)

    def read(self, file: FileVersion) -> "Future[Reading]":
        """Begins to read a file.

        Args:
            file: As it was seen in the folder, without its hash.

        Returns:
            What was read; fails only for reasons that are not the file's.
        """
        try:
            reading = self._threads.submit(self._read, file)
        except RuntimeError:  # the threads are shut down
            reading = Future()
            reading.set_exception(ParserUnavailable("the readers are closed"))
        reading.add_done_callback(lambda _: self._on_read())
        return reading

    def _read(self, file: FileVersion) -> Reading:
        if self._in_hand.deaths(file) >= MAX_DEATHS:
            return Reading(file, error=ServiceEnded("the service ended twice while it was indexed", _ENDED_HINT))
        with self._in_hand.reading(file):
            return self._read_noted(file)

    def _read_noted(self, file: FileVersion) -> Reading:
        began = time.monotonic()
        try:
            self._check_name_and_size(file)
            file = replace(file, sha256=hash_file(Path(file.root), file.source, self._settings.max_file_bytes))
            known = self._knowledge_base.find(file.root, file.source)
            read_tokens = self._knowledge_base.read_tokens()
            recipe = recipe_by(self._settings, read_tokens)
            if known is not None and known.file.sha256 == file.sha256 and known.recipe == recipe:
                return Reading(file)
            parsed, seconds_left = self._parse(file)
            document = self._knowledge_base.covered(parsed)
            check = self._deadline(seconds_left)
            chunks = chunk(document, self._knowledge_base.count_tokens, check, read_tokens=read_tokens)
        except UnreadableFile as error:
            return Reading(replace(file, sha256="") if isinstance(error, NotOpened) else file, error=error)
        document = replace(document, blocks=())  # they are in the chunks now, and many
        return Reading(file, document, chunks, seconds=time.monotonic() - began, recipe=recipe)

    def _parse(self, file: FileVersion) -> tuple[Document, float]:
        """Gives the time that is left for the file, too: half of it at least, as a child's start is no file's fault."""
        limit = self._settings.parse_seconds
        parser = self._idle.get()
        began = time.monotonic()
        try:
            document = self._within_memory(parser, file)
            return document, max(limit / 2, limit - (time.monotonic() - began))
        finally:
            self._idle.put(parser)

    def _within_memory(self, parser: ParserProcess, file: FileVersion) -> Document:
        """Reads a file with little memory; one that may need more is read again, when no other such file is."""
        settings = self._settings

        def parse(memory_bytes: int) -> Document:
            return parser.parse(
                Path(file.root),
                file.source,
                seconds=settings.parse_seconds,
                memory_bytes=memory_bytes,
                max_bytes=settings.max_file_bytes,
                scans=self._knowledge_base.scans(file.sha256) if settings.ocr == "on" else None,
            )

        try:
            return parse(min(settings.parse_memory_bytes, self._modest_bytes))
        except (OutOfMemory, ReaderDied) as error:
            if isinstance(error, ReaderTooSlow) or settings.parse_memory_bytes <= self._modest_bytes:
                raise
        with self._with_much_memory:
            return parse(settings.parse_memory_bytes)

    def _deadline(self, seconds: float) -> Callable[[], None]:
        """What ends the work on a file that takes too long, or when nobody waits for it any more."""
        ends_at = time.monotonic() + seconds

        def check() -> None:
            if self._closed.is_set():
                raise ParserUnavailable("the readers are closed")
            if time.monotonic() > ends_at:
                raise UnreadableFile(
                    f"took longer than {self._settings.parse_seconds:g} s to read and to cut into chunks",
                    "raise KB_PARSE_SECONDS, or split the file",
                )

        return check

    def _check_name_and_size(self, file: FileVersion) -> None:
        if UNREADABLE_CHARACTER in file.source:
            raise UnreadableFile("its name is not valid UTF-8", "rename it")
        limit = self._settings.max_file_bytes
        if file.size_bytes > limit:
            raise UnreadableFile(
                f"the file has {file.size_bytes:,} bytes; the limit is {limit:,}",
                "split it, or raise KB_MAX_FILE_BYTES",
            )
