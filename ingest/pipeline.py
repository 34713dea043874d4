"""The one writer: keeps the index equal to the watched folders.

A thread looks at the folders at the start, whenever the watcher gives a hint, on a timer and on demand, and indexes
what has changed. Failures that concern all files end a run, are shown, and are tried again.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.folders import hash_file, is_reachable, list_files, outermost
from ingest.indexer import Indexer
from ingest.scan import Changes, compare
from ingest.settling import Settling
from ingest.watcher import FolderWatcher
from kb.errors import KBError, UnreadableFile
from kb.library import KnowledgeBase
from kb.types import Failure, FileVersion

logger = logging.getLogger(__name__)

DEBOUNCE_SECONDS = 0.2

LOOK_AGAIN_SECONDS = 2.0
"""In a long run, how soon a new hint is heeded, so that a file deleted meanwhile stops answering."""

WAIT_SECONDS = 0.5
"""How soon a stop is noticed while the embedding model loads."""

RETRY_SECONDS = 30.0
"""Pause after a failure that is not one file's fault: a full disk, no embedding model yet, a folder that is gone."""


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """What the pipeline is doing.

    Attributes:
        folders: The watched folders, each with whether it could be read at the last look.
        current: The file being indexed.
        pending: Files that wait, in order.
        error: What keeps all files from being indexed, if anything does.
        degraded: Whether the system sends no file events, so that changes are noticed later.
    """

    folders: tuple[tuple[Path, bool], ...] = ()
    current: str | None = None
    pending: tuple[str, ...] = ()
    error: KBError | None = None
    degraded: bool = False


class Pipeline:
    """Indexes the files of some folders for as long as it runs.

    Args:
        library: Nobody else writes to it meanwhile.
        folders: Absolute; one inside another is covered by it.
        debounce_seconds: Pause after a hint, so that a burst of events costs one look.
    """

    def __init__(
        self, library: KnowledgeBase, folders: Sequence[Path], *, debounce_seconds: float = DEBOUNCE_SECONDS
    ) -> None:
        self.folders = outermost(folders)
        self._library = library
        self._settings = library.settings
        self._debounce_seconds = debounce_seconds
        self._watcher = FolderWatcher(self.folders, self.request)
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self._stopping = threading.Event()
        self._indexer = Indexer(library, self._check_running)
        self._state = threading.Condition()
        self._requested = 1
        self._begun = 0
        self._finished = 0
        self._failed = 0
        self._failure: KBError | None = None
        self._ended = False
        self._status = PipelineStatus(tuple((folder, is_reachable(folder)) for folder in self.folders))
        self._settling = Settling(self._settings.settle_seconds)

    @property
    def status(self) -> PipelineStatus:
        """What it is doing."""
        return replace(self._status, degraded=self._watcher.degraded)

    def start(self) -> None:
        """Begins to watch and to index."""
        self._library.remember_folders(map(str, self.folders))
        self._watcher.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends after the batch of chunks in hand; what is not indexed yet is found at the next start."""
        self._stopping.set()
        with self._state:
            self._state.notify_all()
        self._indexer.close()
        if self._thread.is_alive():
            self._thread.join()
        self._watcher.stop()

    def request(self) -> int:
        """Asks for a look at the folders.

        Returns:
            A ticket for `wait`.
        """
        with self._state:
            self._requested += 1
            self._state.notify_all()
            return self._requested

    def sync(self, timeout_seconds: float | None = None) -> bool:
        """Looks at the folders and waits until every file that is there now is indexed or recorded as failed.

        Returns:
            Whether that was done in time.

        Raises:
            KBError: Nothing can be indexed, and why.
        """
        ticket = self.request()
        with self._state:
            self._state.wait_for(
                lambda: max(self._finished, self._failed) >= ticket or self._stopping.is_set() or self._ended,
                timeout_seconds,
            )
            if self._finished >= ticket:
                return True
            if self._failure and (self._failed >= ticket or self._ended) and not self._stopping.is_set():
                raise self._failure
            return False

    def _run(self) -> None:
        try:
            self._work()
        finally:
            if not self._stopping.is_set():
                self._fail_all(KBError("indexing has ended unexpectedly", "the log has the reason; start kb again"))
            with self._state:
                self._ended = True
                self._state.notify_all()

    def _work(self) -> None:
        pause = 0.0
        while self._wait_for_work(pause):
            try:
                complete = self._retrieval_is_ready() and self._reconcile()
                if complete:
                    self._library.note_sync()
            except KBError as error:
                if not self._stopping.is_set():
                    logger.error("indexing stopped: %s", error.message)
                self._fail_all(error)
                pause = RETRY_SECONDS
            else:
                pause = self._pause_after(complete)
                if complete:
                    self._finished = self._begun
            with self._state:
                self._state.notify_all()

    def _fail_all(self, error: KBError) -> None:
        self._note(current=None, error=error)
        self._failure = error
        self._failed = self._begun

    def _pause_after(self, complete: bool) -> float:
        if not complete:
            return self._settings.settle_seconds
        all_reachable = all(reachable for _, reachable in self._status.folders)
        return self._settings.sync_seconds if all_reachable else min(self._settings.sync_seconds, RETRY_SECONDS)

    def _retrieval_is_ready(self) -> bool:
        while not self._stopping.is_set():
            if self._library.wait_for_retrieval(WAIT_SECONDS):
                return True
        return False

    def _wait_for_work(self, pause_seconds: float) -> bool:
        with self._state:
            self._state.wait_for(lambda: self._requested > self._begun or self._stopping.is_set(), pause_seconds)
        self._stopping.wait(self._debounce_seconds)
        self._begun = self._requested
        return not self._stopping.is_set()

    def _reconcile(self) -> bool:
        self._watcher.renew()  # before the look, so that no change falls between the two
        files = self._look()
        unreachable = {str(folder) for folder, reachable in self._status.folders if not reachable}
        changes = compare(files, self._library.documents(), self._standing_failures(), unreachable, _hash_or_nothing)
        gone = self._settling.gone(changes.removed)
        self._follow(replace(changes, removed=gone))
        return self._index_all([*changes.modified, *changes.added], all_gone=len(gone) == len(changes.removed))

    def _look(self) -> list[FileVersion]:
        files: list[FileVersion] = []
        folders = []
        for folder, was_reachable in self._status.folders:
            try:
                files += list_files(folder)
                folders.append((folder, True))
            except OSError as error:
                folders.append((folder, False))
                if was_reachable:
                    logger.warning("%s cannot be read: %s; its documents are kept", folder, error.strerror)
        self._note(folders=tuple(folders), error=None)
        return files

    def _standing_failures(self) -> list[Failure]:
        return [failure for failure in self._library.failures() if not self._indexer.deserves_another_try(failure.file)]

    def _follow(self, changes: Changes) -> None:
        for document, file in changes.renamed:
            self._library.move(document.id, replace(file, sha256=document.file.sha256))
            logger.info("%s is now %s", document.file.source, file.source)
        for document in changes.removed:
            self._library.remove(document.id)
            logger.info("%s is gone", document.file.source)
        for file in changes.cleared:
            self._library.clear_failure(file.root, file.source)

    def _index_all(self, waiting: Sequence[FileVersion], all_gone: bool) -> bool:
        queue = deque(self._settling.settled(waiting))
        later = [file.source for file in set(waiting).difference(queue)]
        look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
        while queue:
            news = self._requested > self._begun or not all_gone
            if self._stopping.is_set() or (news and time.monotonic() > look_again_at):
                return False
            file = queue.popleft()
            self._note(current=file.source, pending=(*(other.source for other in queue), *later))
            if not self._indexer.index(file):
                later.append(file.source)
        self._note(current=None, pending=tuple(later))
        return all_gone and not later

    def _check_running(self) -> None:
        if self._stopping.is_set():
            raise KBError("indexing is being stopped")

    def _note(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)
        self._library.note_pending(len(self._status.pending) + (self._status.current is not None))


def _hash_or_nothing(file: FileVersion) -> str:
    try:
        return hash_file(Path(file.root, file.source))
    except UnreadableFile:
        return ""
