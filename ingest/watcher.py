"""Says that something in a folder has changed. Sole importer of watchdog.

Events are hints: which file it was, and whether events were lost, does not matter, because whoever is told looks at
the whole folder. A folder that was not there, or was replaced by another one, is watched after the next `renew`.
"""

import contextlib
import logging
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from watchdog.events import (
    EVENT_TYPE_ATTRIB,
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

logger = logging.getLogger(__name__)

POLLING_SECONDS = 5.0

# Opening and reading are events too; heeding them would let our own reading wake us for ever.
_CHANGES = {
    EVENT_TYPE_ATTRIB,  # a file may be readable now
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
}


class FolderWatcher:
    """Watches folders with all that is below them.

    Args:
        folders: Those that are not there are passed over.
        on_change: Called from a thread of the watcher's, often many times for one change.
        observer: Makes what gives the system's file events.
        polling_seconds: Time between two looks where there are no such events.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        on_change: Callable[[], object],
        *,
        observer: Callable[[], BaseObserver] = Observer,
        polling_seconds: float = POLLING_SECONDS,
    ) -> None:
        self._folders = tuple(folders)
        self._handler = _Handler(on_change)
        self._new_observer = observer
        self._polling_seconds = polling_seconds
        self._observer: BaseObserver | None = None
        self._watched: Sequence[tuple[int, int] | None] = ()
        self.degraded = False
        """Whether the system's events could not be had, so that the folders are polled."""

    def start(self) -> None:
        """Begins to watch."""
        self._watched = [_identity(folder) for folder in self._folders]
        try:
            self._observer = self._started(self._new_observer())
            self.degraded = False
        except OSError as error:  # inotify's watches (ENOSPC) or instances (EMFILE) are used up
            logger.warning("no file events (%s): looking every %.0f s instead", error.strerror, self._polling_seconds)
            self.degraded = True
            with contextlib.suppress(OSError):  # a folder has just gone; `renew` tries again
                self._observer = self._started(PollingObserver(timeout=self._polling_seconds))

    def stop(self) -> None:
        """Ends watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def renew(self) -> None:
        """Watches anew if a folder has come or gone, or is another one of the same name: events are of the old one."""
        if self._observer is None or self._watched != [_identity(folder) for folder in self._folders]:
            self.stop()
            self.start()

    def _started(self, observer: BaseObserver) -> BaseObserver:
        for folder, identity in zip(self._folders, self._watched, strict=True):
            if identity is not None:
                observer.schedule(self._handler, str(folder), recursive=True)
        try:
            observer.start()
        except OSError:
            observer.unschedule_all()  # some folders may be watched already
            raise
        return observer


class _Handler(FileSystemEventHandler):
    def __init__(self, on_change: Callable[[], object]) -> None:
        self._on_change = on_change

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _CHANGES:
            self._on_change()


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and number of a folder, which stay when it is renamed; None if it is not there."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
