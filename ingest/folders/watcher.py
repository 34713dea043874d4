"""Says that something in a folder has changed. Sole importer of watchdog.

Events are hints: which file it was does not matter, because whoever is told looks at the whole folder. So lost events
are a hint as well. What cannot be watched any longer (the folder was replaced or unmounted, the system's watches are
used up, a thread has died) is a hint if the system says so, and is put right by the next `renew`.
"""

import contextlib
import errno
import logging
import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from watchdog.events import (
    EVENT_TYPE_ATTRIB,
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
    DirModifiedEvent,
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


if sys.platform == "linux":
    from watchdog.observers.inotify import InotifyEmitter
    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyConstants,
        InotifyEvent,
        InotifyFD,
        Mask,
        WatchCallback,
        WatchDescriptor,
    )

    class _Inotify(InotifyFD):
        """Reads the system's events, and says when some were lost or will be; watchdog itself only logs that.

        Args:
            on_gap: Called when there may have been changes without events.
        """

        def __init__(self, on_gap: Callable[[], object]) -> None:
            super().__init__()
            self._on_gap = on_gap
            self._broken = False
            self._unreadable: set[bytes] = set()

        @property
        def intact(self) -> bool:
            """Whether all folders are watched that can be."""
            return not self._broken and not any(os.access(path, os.R_OK) for path in self._unreadable.copy())

        def add_callback(self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId) -> WatchDescriptor:
            """Watches one folder; where that fails below the first one, watchdog goes on without it."""
            if not os.access(path, os.R_OK):
                self._unreadable.add(path)
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            try:
                return super().add_callback(path, mask, callback, id_)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # it has just gone: nothing is missed
                    self._break()
                raise

        def handle_event(self, event: InotifyEvent) -> None:
            """Passes one event on."""
            super().handle_event(event)
            if event.is_queue_overflow:
                self._on_gap()
            elif event.mask & InotifyConstants.IN_UNMOUNT:
                self._break()

        def run(self) -> None:
            """Reads events until it is stopped."""
            try:
                super().run()
            finally:
                if self.should_keep_running():
                    self._break()

        def _break(self) -> None:
            self._broken = True
            self._on_gap()

    class SystemObserver(BaseObserver):
        """Observes folders through inotify."""

        def __init__(self) -> None:
            # A folder that was moved out and back is still watched, which is all right, but makes watchdog warn.
            warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
            self._inotify = _Inotify(self._hint)
            super().__init__(InotifyEmitter, inotify_fd=self._inotify)
            self._inotify.start()

        @property
        def intact(self) -> bool:
            """Whether all is observed that can be."""
            return self._inotify.intact

        def on_thread_stop(self) -> None:
            """Ends the threads that belong to it."""
            super().on_thread_stop()
            self._inotify.stop()
            self._inotify.join()

        def _hint(self) -> None:
            for emitter in self.emitters.copy():
                emitter.queue_event(DirModifiedEvent(emitter.watch.path))

else:
    SystemObserver = Observer


class FolderWatcher:
    """Watches folders with all that is below them.

    Args:
        folders: Those that are not there, or may not be read, are passed over.
        on_change: Called from a thread of the watcher's, often many times for one change.
        observer: Makes what gives the system's file events.
        polling_seconds: Time between two looks where there are no such events.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        on_change: Callable[[], object],
        *,
        observer: Callable[[], BaseObserver] = SystemObserver,
        polling_seconds: float = POLLING_SECONDS,
    ) -> None:
        self._folders = tuple(folders)
        self._handler = _Handler(on_change)
        self._new_observer = observer
        self._polling_seconds = polling_seconds
        self._observer: BaseObserver | None = None
        self._watched: Sequence[tuple[int, int] | None] = ()
        self.degraded = False
        """Whether the system's events could not be had for all folders, so that they are polled."""

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
            _end(self._observer)
            self._observer = None

    def renew(self) -> None:
        """Watches anew what is not watched as it should be.

        So it is when a folder has come or gone, or is another one of the same name: events are of the old one.
        """
        identities = [_identity(folder) for folder in self._folders]
        if self._observer is None or self._watched != identities or not _is_intact(self._observer):
            self.stop()
            self.start()

    def _started(self, observer: BaseObserver) -> BaseObserver:
        for folder, identity in zip(self._folders, self._watched, strict=True):
            if identity is not None:
                observer.schedule(self._handler, str(folder), recursive=True)
        try:
            observer.start()
            if not _is_intact(observer):
                raise OSError(errno.ENOSPC, "not all folders can be watched")
        except OSError:
            _end(observer)  # some folders may be watched already
            raise
        return observer


class _Handler(FileSystemEventHandler):
    def __init__(self, on_change: Callable[[], object]) -> None:
        self._on_change = on_change

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _CHANGES:
            self._on_change()


def _is_intact(observer: BaseObserver) -> bool:
    """Whether it does what it was started for; its threads end when their folder goes, even if it comes back."""
    threads = (observer, *observer.emitters)
    return all(thread.is_alive() for thread in threads) and getattr(observer, "intact", True) is True


def _end(observer: BaseObserver) -> None:
    observer.stop()
    if observer.is_alive():
        observer.join()


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and number of a folder, which stay when it is renamed; None if it is not there or may not be read."""
    try:
        found = folder.stat()
    except OSError:
        return None
    readable = stat.S_ISDIR(found.st_mode) and os.access(folder, os.R_OK | os.X_OK)
    return (found.st_dev, found.st_ino) if readable else None
