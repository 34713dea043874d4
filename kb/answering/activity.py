"""Whether questions are being answered, or nobody has asked for a while."""

import threading
import time
from collections.abc import Generator
from contextlib import closing
from typing import TypeVar

from kb.values.chat import Heartbeat

Event = TypeVar("Event")

IDLE_SECONDS = 20.0
"""Who has just read an answer may ask on."""


class Activity:
    """Counts the questions that are being answered, and those that wait. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[int, int] = {}
        self._ended = time.monotonic() - IDLE_SECONDS

    @property
    def running(self) -> int:
        """How many questions are being answered now."""
        with self._lock:
            return sum(1 for place in self._places.values() if not place)

    @property
    def waiting(self) -> int:
        """How many wait until the model has answered others."""
        with self._lock:
            return sum(1 for place in self._places.values() if place)

    @property
    def is_idle(self) -> bool:
        """Whether no question is being answered, and none was for `IDLE_SECONDS`."""
        with self._lock:
            return not self._places and time.monotonic() - self._ended >= IDLE_SECONDS

    def note(self) -> None:
        """Notes that somebody is there, who will ask soon."""
        with self._lock:
            self._ended = time.monotonic()

    def during(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        """Passes events on; from the first to the last there is activity."""
        key = id(events)
        with self._lock:
            self._places[key] = 0
        try:
            with closing(events):
                for event in events:
                    with self._lock:
                        self._places[key] = event.place if isinstance(event, Heartbeat) else 0
                    yield event
        finally:
            with self._lock:
                del self._places[key]
                self._ended = time.monotonic()
