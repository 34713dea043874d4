"""A model that loads in the background, and tells how far it is.

Knows nothing about what is loaded: that is the function it is given.
"""

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from kb.errors import KBError, ModelError, ModelMissing, StorageError
from kb.values.closable import Closable
from kb.values.progress import Progress, Report

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""After so long, what a full disk has stopped is tried again."""

T = TypeVar("T", bound=Closable)


class LoadState(StrEnum):
    """Where a model is on its way to use."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


_OVER = frozenset({LoadState.READY, LoadState.FAILED})


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """A moment of loading."""

    state: LoadState
    progress: Progress | None = None
    error: KBError | None = None


class Loading(Generic[T]):
    """Something that is loaded once, by a thread of its own, on first need; where the disk is full, again and again.

    Args:
        name: For the thread and the log.
        load: Loads it; reports progress while it downloads. What it raises is kept, and everyone who waits gets a copy.
    """

    def __init__(self, name: str, load: Callable[[Report], T]) -> None:
        self._name = name
        self._load = load
        self._changed = threading.Condition()
        self._status = LoadStatus(LoadState.WAITING)
        self._value: T | None = None
        self._closed = False

    @property
    def status(self) -> LoadStatus:
        """How far it is."""
        return self._status

    def start(self) -> None:
        """Begins to load unless that has begun; after a failure, tries again."""
        with self._changed:
            self._begin(LoadState.WAITING, LoadState.FAILED)

    def wait(self, timeout_seconds: float | None = None) -> T | None:
        """Waits until it is loaded, beginning now if nobody has.

        Returns:
            None if it did not load in time.

        Raises:
            ModelError: It could not be loaded, or is closed.
        """
        return self._wait_for(_OVER, timeout_seconds)

    def require(self, patience_seconds: float) -> T:
        """Gives what was loaded, to somebody who will not wait long.

        Args:
            patience_seconds: How long to wait while it loads; a download is not waited for.

        Raises:
            ModelMissing: It is not there yet.
            ModelError: It could not be loaded, or is closed.
        """
        value = self._wait_for(_OVER | {LoadState.DOWNLOADING}, patience_seconds)
        if value is None:
            raise ModelMissing(
                f"the {self._name} is not ready yet: {self._describe()}", "wait for it; `kb status` shows how far it is"
            )
        return value

    def get(self) -> T | None:
        """What was loaded, or None while there is nothing."""
        return self._value

    def close(self) -> None:
        """Closes what was loaded; what is still on its way is closed when it comes, a download is broken off."""
        with self._changed:
            value, self._value = self._value, None
            self._closed = True
            self._set_status(LoadStatus(LoadState.FAILED, error=self._closed_error()))
        if value is not None:
            value.close()

    def _begin(self, *states: LoadState) -> None:
        if self._status.state in states and not self._closed:
            self._set_status(LoadStatus(LoadState.LOADING))
            threading.Thread(target=self._run, name=f"load-{self._name}", daemon=True).start()

    def _wait_for(self, states: Collection[LoadState], timeout_seconds: float | None) -> T | None:
        with self._changed:
            self._begin(LoadState.WAITING)
            self._changed.wait_for(lambda: self._status.state in states, timeout_seconds)
            if self._status.error is not None:
                raise self._status.error.again()
            return self._value

    def _run(self) -> None:
        value: T | None = None
        error: KBError = ModelError(f"the {self._name} could not be loaded", "the log has the reason")
        try:
            value = self._load(self._report)
        except KBError as known:
            error = known
        finally:
            self._finish(value, error)
        if value is None and isinstance(error, StorageError):
            again = threading.Timer(RETRY_SECONDS, self.start)
            again.daemon = True
            again.start()

    def _finish(self, value: T | None, error: KBError) -> None:
        with self._changed:
            if not self._closed:
                self._value = value
                if value is None:
                    self._set_status(LoadStatus(LoadState.FAILED, error=error))
                    logger.error("%s failed: %s", self._name, error.message)
                else:
                    self._set_status(LoadStatus(LoadState.READY))
                    logger.info("%s ready", self._name)
                return
        if value is not None:
            value.close()

    def _report(self, progress: Progress) -> None:
        whole = progress.total is not None and progress.done >= progress.total
        with self._changed:
            if self._closed:
                raise self._closed_error()
            self._set_status(LoadStatus(LoadState.LOADING if whole else LoadState.DOWNLOADING, progress))

    def _set_status(self, status: LoadStatus) -> None:
        self._status = status
        self._changed.notify_all()

    def _closed_error(self) -> ModelError:
        return ModelError(f"the {self._name} is closed", "open the data directory again")

    def _describe(self) -> str:
        state, progress = self._status.state, self._status.progress
        if state is LoadState.DOWNLOADING and progress and progress.total:
            return f"downloading, {100 * progress.done // progress.total} %"
        return str(state)
