"""Who waits for which files: a caller of `sync` is told when all that was there before its call has been dealt with.

Pure. A file that never stops changing does not keep anybody waiting: it counts as soon as one version of it is dealt
with. Who is in a hurry names the files that matter, and is told when these are dealt with.
"""

from collections.abc import Collection

from ingest.folders.place import Place


class Tickets:
    """Counts requests for a look at the folders, and says up to which of them everything is done.

    Attributes:
        requested: The latest request.
        begun: The latest request that a look has followed.
        finished: The latest request for which everything that the folders held is dealt with.
        failed: The latest request that was given up.
        hurried: The files that are to be dealt with before all others.
    """

    def __init__(self) -> None:
        self.requested = self.begun = self.finished = self.failed = 0
        self.hurried: frozenset[Place] = frozenset()
        self._open: list[tuple[int, set[Place]]] = []
        self._hurries: dict[int, frozenset[Place]] = {}

    @property
    def is_pending(self) -> bool:
        """Whether somebody asked for a look that has not begun."""
        return self.requested > self.begun

    @property
    def is_hurried(self) -> bool:
        """Whether somebody in a hurry asked for a look that has not begun."""
        return any(ticket > self.begun for ticket in self._hurries)

    @property
    def is_all_done(self) -> bool:
        """Whether nothing is left of what looks have found."""
        return not self._open

    def request(self) -> int:
        """Asks for a look."""
        self.requested += 1
        return self.requested

    def hurry(self, places: Collection[Place]) -> int:
        """Asks for a look at once, and for some files to be dealt with before all others, until `leave` is called."""
        ticket = self.request()
        self._set_hurries({**self._hurries, ticket: frozenset(places)})
        return ticket

    def leave(self, ticket: int) -> None:
        """Nobody waits for the files of a ticket in a hurry any more."""
        self._set_hurries({other: places for other, places in self._hurries.items() if other != ticket})

    def is_served(self, ticket: int) -> bool:
        """Whether the files of a ticket in a hurry are dealt with, whatever else that look has found, or given up."""
        if self.begun < ticket or self.finished >= ticket:
            return self.finished >= ticket
        waiting = next((places for number, places in self._open if number >= ticket), frozenset[Place]())
        return self._hurries[ticket].isdisjoint(waiting)

    def look_done(self, ticket: int, waiting: Collection[Place]) -> None:
        """Notes what a look has found to do; what earlier looks had found and this one has not is done.

        Args:
            ticket: The latest request when the look began.
        """
        for _, places in self._open:
            places.intersection_update(waiting)
        self._open.append((ticket, set(waiting)))
        self.begun = ticket
        self._drop_finished()

    def dealt_with(self, place: Place) -> None:
        """Notes that a file has been indexed, removed or recorded as failed."""
        for _, places in self._open:
            places.discard(place)
        self._drop_finished()

    def give_up(self) -> None:
        """Notes that nothing can be done for any request up to now."""
        self.begun = self.failed = self.requested
        self._open.clear()

    def _set_hurries(self, hurries: dict[int, frozenset[Place]]) -> None:
        self._hurries = hurries
        self.hurried = frozenset[Place]().union(*hurries.values())

    def _drop_finished(self) -> None:
        # What an earlier look waits for, a later one waits for too, so they end in order.
        while self._open and not self._open[0][1]:
            self.finished, _ = self._open.pop(0)
