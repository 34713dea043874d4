"""The one writer: keeps the index equal to the watched folders.

A thread looks at the folders at the start, whenever the watcher gives a hint, on a timer and on demand. It has what
has changed read ahead, indexes one file after the other, and looks after the index when there is nothing else to do.
Failures that concern all files end a run, are shown, and are tried again.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.folders.listing import is_reachable, outermost
from ingest.folders.place import Place, place_of
from ingest.folders.watcher import FolderWatcher
from ingest.pipeline.backlog import Backlog
from ingest.pipeline.document_index import DocumentIndex
from ingest.pipeline.freshness import FolderFreshness
from ingest.pipeline.in_hand import NOTE_NAME, InHand
from ingest.pipeline.indexer import Indexer
from ingest.pipeline.progress import PipelineStatus, ProgressMeter
from ingest.pipeline.reading import Readers, Reading
from ingest.pipeline.reconciler import NO_PLAN, Reconciler
from ingest.pipeline.requests import Requests
from ingest.pipeline.scanning import PageScanner
from ingest.pipeline.timetable import DEBOUNCE_SECONDS, Timetable
from ingest.settings import IngestSettings
from kb.errors import KBError
from kb.settings import load
from kb.values.documents import FileVersion

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""How soon a stop is noticed while the embedding model loads."""

MUCH_SMALLER = 4
"""A document that takes long gives way to files of less than one such part of its length."""

RETRY_SECONDS = 30.0
"""Pause after a failure that is not one file's fault: a full disk, no embedding model yet, a folder that is gone."""


class Pipeline:
    """Indexes the files of some folders for as long as it runs.

    Args:
        knowledge_base: Nobody else writes to it meanwhile.
        folders: Absolute; one inside another is covered by it.
        settings: Limits and pauses; None: from environment and `kb.toml`.
        debounce_seconds: Pause after a hint, so that a burst of events costs one look.
    """

    def __init__(
        self,
        knowledge_base: DocumentIndex,
        folders: Sequence[Path],
        settings: IngestSettings | None = None,
        *,
        debounce_seconds: float = DEBOUNCE_SECONDS,
    ) -> None:
        self.folders = outermost(folders)
        self.settings = settings or load(kind=IngestSettings)
        self._knowledge_base = knowledge_base
        self._watcher = FolderWatcher(self.folders, self.request)
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self._stopping = threading.Event()
        self._meter = ProgressMeter()
        self._indexer = Indexer(knowledge_base, self._check_running, self._meter)
        self._in_hand = InHand(self.settings.home / NOTE_NAME)
        self._timetable = Timetable(debounce_seconds)
        self._requests = Requests(self._timetable, self._stopping)
        self._readers = Readers(knowledge_base, self.settings, self._requests.wake, self._in_hand)
        self._backlog = Backlog(self._readers, self._in_hand, self._goes_first)
        self._reconciler = Reconciler(knowledge_base, self.folders, self.settings, self._check_running)
        self._scanner = PageScanner(knowledge_base, self.settings, lambda: self._is_quiet, self.request)
        self._plan = NO_PLAN
        self._starting = threading.Lock()
        self._status = PipelineStatus(tuple((folder, is_reachable(folder)) for folder in self.folders))
        knowledge_base.check_files_with(FolderFreshness(knowledge_base.folders, self.refresh))

    @property
    def status(self) -> PipelineStatus:
        """What it is doing."""
        waiting = (*self._in_hand.files[:-1], *self._backlog.files, *self._plan.unsettled)
        return replace(
            self._status,
            pending=tuple(file.source for file in waiting),
            progress=self._meter.progress,
            scanning=self._scanner.current,
            pages_to_scan=self._knowledge_base.pages_to_scan() if self.settings.ocr == "on" else 0,
            degraded=self._watcher.degraded,
        )

    def start(self) -> None:
        """Begins to watch and to index."""
        self._reconciler.begin()
        self._watcher.start()
        self._thread.start()
        self._scanner.start()

    def stop(self) -> None:
        """Ends after the batch of chunks in hand; what is not indexed yet is found at the next start."""
        self._stopping.set()
        self._requests.wake()
        self._scanner.stop()
        self._readers.close()
        if self._thread.is_alive():
            self._thread.join()
        self._watcher.stop()

    def request(self) -> int:
        """Asks for a look at the folders.

        Returns:
            A ticket for `sync`.
        """
        return self._requests.request()

    def sync(self, timeout_seconds: float | None = None, *, retry: bool = False) -> bool:
        """Looks at the folders and waits until every file that is there now is indexed or recorded as failed.

        Args:
            retry: Whether files that failed before are tried again though they have not changed.

        Returns:
            Whether that was done in time.

        Raises:
            KBError: Nothing can be indexed, and why.
        """
        if retry:
            self._knowledge_base.retry_failures()
        ticket = self.request()
        self._requests.wait(ticket, timeout_seconds)
        return self.is_synced(ticket)

    def is_synced(self, ticket: int) -> bool:
        """Whether every file that was there when a look was asked for is indexed or recorded as failed by now.

        Args:
            ticket: From `request`.

        Raises:
            KBError: Nothing can be indexed, and why.
        """
        return self._requests.is_done(ticket)

    def refresh(self, places: Collection[Place], timeout_seconds: float) -> bool:
        """Deals with some files before all others, and waits for it; begins to index if that has not begun.

        Returns:
            Whether that was done in time; False, too, for files of folders that are not watched.
        """
        roots = {str(folder) for folder in self.folders}
        if self._stopping.is_set() or not all(root in roots for root, _ in places):
            return False
        with self._starting:
            if self._thread.ident is None:
                self.start()
        return self._requests.hurry(places, timeout_seconds)

    def reindex(self, *, embed: bool = False) -> None:
        """Has every file read anew and the vector index made anew; what is there answers until then.

        Args:
            embed: Whether embeddings are computed anew, too.
        """
        self._knowledge_base.outdate()
        if embed:
            self._knowledge_base.reembed()
        else:
            self._knowledge_base.renew_index()
        self.request()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._step_or_pause()
        finally:
            if not self._stopping.is_set():
                self._fail_all(KBError("indexing has ended unexpectedly", "the log has the reason; start kb again"))
            self._requests.end()

    def _step_or_pause(self) -> None:
        try:
            self._step()
        except _Interrupted:
            pass
        except KBError as error:
            if not self._stopping.is_set():
                logger.error("indexing stopped: %s; %s", error.message, error.hint)
            self._fail_all(error)

    def _fail_all(self, error: KBError) -> None:
        error = error.again()  # it is kept, and its frames hold whole documents
        self._backlog.clear()
        self._timetable.look_in(RETRY_SECONDS)
        self._note_queue()
        self._note(error=error)
        self._requests.give_up(error)

    def _step(self) -> None:
        """Does the most urgent thing, or waits for one."""
        if time.monotonic() >= self._look_due_at():
            self._look()
        elif self._knowledge_base.index_has_failed and not self._status.error:
            self._knowledge_base.maintain(self._check_running)
        elif taken := self._backlog.take():
            self._index(*taken)
        elif not self._is_idle or not self._knowledge_base.maintain(self._check_idle):
            self._scanner.wake()
            self._requests.pause(lambda: self._backlog.has_reading, self._look_due_at())

    @property
    def _is_idle(self) -> bool:
        """Whether the index may be looked after; while a file changes, what was embedded of it is kept."""
        return self._requests.tickets.is_all_done and not self._backlog and not self._status.error

    @property
    def _is_quiet(self) -> bool:
        """Whether nobody waits for a file, asked from another thread than that which indexes."""
        return self._is_idle and not self._in_hand.files and not self._requests.tickets.is_pending

    def _look_due_at(self) -> float:
        return self._timetable.due_at(self._requests.tickets, is_busy=bool(self._backlog or self._in_hand.files))

    def _look(self) -> None:
        if not self._retrieval_is_ready():
            return
        ticket = self._requests.request()
        began = time.monotonic()
        self._watcher.renew()  # before the look, so that no change falls between the two
        self._plan = plan = self._reconciler.look()
        in_hand = {place_of(file) for file in self._in_hand.files}
        self._backlog.put(sorted((file for file in plan.ready if place_of(file) not in in_hand), key=self._comes_late))
        self._timetable.looked(time.monotonic() - began, plan.look_again_seconds)
        self._note(folders=plan.folders, unsupported=plan.unsupported, error=None)
        self._note_queue()
        waiting = {place_of(file) for file in (*self._backlog.files, *plan.unsettled)}
        self._settle_tickets(lambda: self._requests.tickets.look_done(ticket, waiting | plan.missed | in_hand))

    def _comes_late(self, file: FileVersion) -> tuple[int, bool, int]:
        """Orders files: those that somebody waits for, then the newest; what has ended the process comes last."""
        is_hurried = place_of(file) in self._requests.tickets.hurried
        return self._in_hand.deaths(file), not is_hurried, -max(file.modified_ns, file.changed_ns)

    def _goes_first(self, file: FileVersion) -> bool:
        """Whether a file is dealt with before the one in hand is done: if it is urgent, or much smaller."""
        if not self._in_hand.files:
            return True
        current, hurried = self._in_hand.files[-1], self._requests.tickets.hurried
        is_urgent = place_of(file) in hurried and place_of(current) not in hurried
        return is_urgent or file.size_bytes < current.size_bytes // MUCH_SMALLER

    def _attend(self) -> None:
        """Does between the batches of a document what is more urgent than the next one."""
        while True:
            self._check_running()
            if time.monotonic() >= self._look_due_at():
                self._look()
            elif taken := self._backlog.take():
                self._index(*taken)
            else:
                return

    def _index(self, file: FileVersion, read: Callable[[], Reading]) -> None:
        place = place_of(file)
        as_it_is = place in self._plan.restless
        with self._in_hand.indexing(file):
            self._backlog.read_ahead()
            self._note_queue()
            is_done = self._indexer.index(file, read, as_it_is=as_it_is, between=self._attend)
        if is_done:
            self._in_hand.forgive(file)
            self._reconciler.was_read(file)
            self._meter.file_done(file.size_bytes)
            self._settle_tickets(lambda: self._requests.tickets.dealt_with(place))
        else:
            self._timetable.look_within(self.settings.settle_seconds)
        self._note_queue()

    def _settle_tickets(self, change: Callable[[], None]) -> None:
        if self._requests.settle(change):
            self._knowledge_base.note_sync()
            self._timetable.look_within(self._reconciler.next_try_seconds())
        self._requests.wake()

    def _retrieval_is_ready(self) -> bool:
        while not self._stopping.is_set():
            if self._knowledge_base.wait_for_index(WAIT_SECONDS):
                return True
        return False

    def _check_running(self) -> None:
        if self._stopping.is_set():
            raise _Interrupted("indexing is being stopped")

    def _check_idle(self) -> None:
        if self._requests.tickets.is_pending or self._stopping.is_set():
            raise _Interrupted("there is something more urgent to do")

    def _note_queue(self) -> None:
        in_hand = self._in_hand.files
        outside = [*self._plan.unsettled, *in_hand]
        size_bytes = self._backlog.size_bytes + sum(file.size_bytes for file in outside)
        waiting = len(self._backlog) + len(outside)
        self._meter.waits(waiting, size_bytes)
        self._note(current=in_hand[-1].source if in_hand else None)
        self._knowledge_base.note_pending(waiting)

    def _note(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)


class _Interrupted(KBError):
    """Work is given up for something more urgent."""
