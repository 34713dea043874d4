"""When to look at the folders next: after a hint, on a timer, and not too often in a long run."""

import time

from ingest.pipeline.tickets import Tickets

DEBOUNCE_SECONDS = 0.2

LOOK_AGAIN_SECONDS = 2.0
"""In a long run, how soon a new hint is heeded, so that a file deleted meanwhile stops answering."""

LOOK_SHARE = 0.1
"""At most this share of a long run's time goes into looking at the folders."""


class Timetable:
    """Times by the clock of `time.monotonic`; the first look is due at once.

    Args:
        debounce_seconds: Pause after a hint, so that a burst of events costs one look.
    """

    def __init__(self, debounce_seconds: float) -> None:
        self._debounce_seconds = debounce_seconds
        self._asked_at = self._looked_at = self._timer_at = 0.0
        self._look_seconds = 0.0

    def asked(self) -> None:
        """Notes the first hint since the last look."""
        self._asked_at = time.monotonic()

    def looked(self, seconds: float, pause_seconds: float) -> None:
        """Notes that a look has ended.

        Args:
            seconds: What it took.
            pause_seconds: Time until the next one, if nothing asks for one before.
        """
        self._looked_at = time.monotonic()
        self._look_seconds = seconds
        self._timer_at = self._looked_at + pause_seconds

    def look_in(self, seconds: float) -> None:
        """Sets the timer anew."""
        self._timer_at = time.monotonic() + seconds

    def look_within(self, seconds: float) -> None:
        """Sets the timer anew if that is earlier."""
        self._timer_at = min(self._timer_at, time.monotonic() + seconds)

    def due_at(self, tickets: Tickets, *, is_busy: bool) -> float:
        """When the next look is due; a burst of hints, or a long run, is not held up by many looks."""
        if tickets.is_hurried:
            return 0.0
        if not tickets.is_pending:
            return self._timer_at
        pause = max(LOOK_AGAIN_SECONDS, self._look_seconds / LOOK_SHARE) if is_busy else 0.0
        due_at = max(self._asked_at + self._debounce_seconds, self._looked_at + pause)
        return min(due_at, self._timer_at) if tickets.hurried else due_at
