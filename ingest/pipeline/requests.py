"""Who asks for a look at the folders and waits for what it finds, in any thread; and the writer, who waits for them."""

import threading
import time
from collections.abc import Callable, Collection

from ingest.folders.place import Place
from ingest.pipeline.tickets import Tickets
from ingest.pipeline.timetable import Timetable
from kb.errors import KBError


class Requests:
    """Tickets behind a lock.

    Args:
        timetable: Is told of hints.
        stopping: Ends all waiting, once `wake` is called.

    Attributes:
        tickets: Changed by `settle` and `give_up` alone; any thread may look.
    """

    def __init__(self, timetable: Timetable, stopping: threading.Event) -> None:
        self.tickets = Tickets()
        self._timetable = timetable
        self._stopping = stopping
        self._changed = threading.Condition()
        self._failure: KBError | None = None
        self._ended = False

    def request(self) -> int:
        """Asks for a look, and gives a ticket for it."""
        with self._changed:
            if not self.tickets.is_pending:
                self._timetable.asked()
            ticket = self.tickets.request()
            self._changed.notify_all()
            return ticket

    def wait(self, ticket: int, timeout_seconds: float | None) -> None:
        """Waits until all is done that was there when a look was asked for, or given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over(ticket) or self._stopping.is_set(), timeout_seconds)

    def is_done(self, ticket: int) -> bool:
        """Whether all is done that was there when a look was asked for.

        Raises:
            KBError: It was given up, and why.
        """
        with self._changed:
            if self.tickets.finished >= ticket:
                return True
            if self._failure and self._is_over(ticket) and not self._stopping.is_set():
                raise self._failure.again()
            return False

    def hurry(self, places: Collection[Place], timeout_seconds: float) -> bool:
        """Has some files dealt with before all others, and waits for it; says whether that was done in time."""
        with self._changed:
            ticket = self.tickets.hurry(places)
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self.tickets.is_served(ticket) or self._ended, timeout_seconds)
            finally:
                self.tickets.leave(ticket)

    def settle(self, change: Callable[[], None]) -> bool:
        """Changes the tickets, and says whether more of them are finished now."""
        with self._changed:
            before = self.tickets.finished
            change()
            return self.tickets.finished > before

    def give_up(self, error: KBError) -> None:
        """Tells all who wait that nothing can be done for them, and why."""
        with self._changed:
            self._failure = error
            self.tickets.give_up()
            self._changed.notify_all()

    def end(self) -> None:
        """Nobody waits any more, now or later."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Has all who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def pause(self, is_ready: Callable[[], object], until: float) -> None:
        """Waits for a new request, a hurry, or whatever else one is to be woken for.

        Args:
            until: By the clock of `time.monotonic`.
        """
        with self._changed:
            pending = self.tickets.is_pending
            self._changed.wait_for(
                lambda: (
                    self._stopping.is_set()
                    or is_ready()
                    or self.tickets.is_hurried
                    or self.tickets.is_pending != pending
                ),
                max(0.0, until - time.monotonic()),
            )

    def _is_over(self, ticket: int) -> bool:
        return max(self.tickets.finished, self.tickets.failed) >= ticket or self._ended
