"""What indexing is doing, how far it is, how fast it goes and how long it will still take."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kb.errors import KBError

LEAST_SHARE = 0.1
"""Of a run's bytes: before that, hours would be told after the small files, which come first and take long for their
size."""


@dataclass(frozen=True, slots=True)
class WorkProgress:
    """A moment of a run, which lasts from the first file that waits until none does.

    Attributes:
        files_done: Indexed or recorded as failed since the run began.
        files_total: Those, and all that wait.
        chunks_done: Chunks whose embeddings are there.
        seconds_left: By the bytes that are left; None until `LEAST_SHARE` of them is done.
    """

    files_done: int
    files_total: int
    chunks_done: int
    files_per_second: float
    chunks_per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """What the pipeline is doing.

    Attributes:
        folders: The watched folders, each with whether it could be read at the last look.
        current: The file being indexed.
        pending: Files that wait, in order.
        progress: Of the run that goes on; None when nothing waits.
        unsupported: Numbers of files that no loader reads, by extension.
        error: What keeps all files from being indexed, if anything does.
        scanning: The file of which a page is being read in its picture.
        pages_to_scan: How many pages wait for that.
        degraded: Whether the system sends no file events, so that changes are noticed later.
    """

    folders: tuple[tuple[Path, bool], ...] = ()
    current: str | None = None
    pending: tuple[str, ...] = ()
    progress: WorkProgress | None = None
    unsupported: Mapping[str, int] = field(default_factory=dict)
    error: KBError | None = None
    scanning: str | None = None
    pages_to_scan: int = 0
    degraded: bool = False


class ProgressMeter:
    """Measures one run after the other.

    Args:
        clock: Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting_files = 0
        self._waiting_bytes = 0
        self._begin()

    def waits(self, files: int, size_bytes: int) -> None:
        """Tells how many files wait, the ones in work included, and their length together."""
        if files and not self._waiting_files:
            self._begin()
        self._waiting_files, self._waiting_bytes = files, size_bytes

    def file_done(self, size_bytes: int) -> None:
        """Counts a file that was indexed or recorded as failed."""
        self._files_done += 1
        self._bytes_done += size_bytes

    def chunks_done(self, count: int) -> None:
        """Counts chunks that were embedded, or needed not to be."""
        self._chunks_done += count

    @property
    def progress(self) -> WorkProgress | None:
        """How far the run is; None between runs."""
        if not self._waiting_files:
            return None
        seconds = max(self._clock() - self._began, 1e-3)
        return WorkProgress(
            files_done=self._files_done,
            files_total=self._files_done + self._waiting_files,
            chunks_done=self._chunks_done,
            files_per_second=self._files_done / seconds,
            chunks_per_second=self._chunks_done / seconds,
            seconds_left=self._seconds_left(seconds),
        )

    def _seconds_left(self, seconds: float) -> float | None:
        is_known = 0 < self._bytes_done >= LEAST_SHARE * (self._bytes_done + self._waiting_bytes)
        return seconds * self._waiting_bytes / self._bytes_done if is_known else None

    def _begin(self) -> None:
        self._began = self._clock()
        self._files_done = self._bytes_done = self._chunks_done = 0
