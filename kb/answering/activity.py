"""Whether questions are being answered, or nobody has asked for a while."""

import threading
import time
from collections.abc import Generator
from contextlib import closing
from typing import TypeVar

Event = TypeVar("Event")

IDLE_SECONDS = 20.0
"""Who has just read an answer may ask on."""


class Activity:
    """Counts the questions that are being answered. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._ended = time.monotonic() - IDLE_SECONDS

    @property
    def is_idle(self) -> bool:
        """Whether no question is being answered, and none was for `IDLE_SECONDS`."""
        with self._lock:
            return not self._running and time.monotonic() - self._ended >= IDLE_SECONDS

    def note(self) -> None:
        """Notes that somebody is there, who will ask soon."""
        with self._lock:
            self._ended = time.monotonic()

    def during(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        """Passes events on; from the first to the last there is activity."""
        with self._lock:
            self._running += 1
        try:
            with closing(events):
                yield from events
        finally:
            with self._lock:
                self._running -= 1
                self._ended = time.monotonic()
