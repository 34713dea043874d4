"""Files that wait to be indexed, in order, and those of them that are being read ahead.

What is held in memory is bounded: a large file is read when no other one is, and not while a larger one is in hand.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from itertools import islice

from ingest.folders.place import Place, place_of
from ingest.pipeline.in_hand import InHand
from ingest.pipeline.reading import Readers, Reading
from kb.values.documents import FileVersion

AHEAD_BYTES = 8_000_000
"""Length of all files together that are read ahead; a longer one is read if it is the only one of this kind."""

_LOOKED_AT = 64  # what comes first in order: behind a file that cannot be read yet, another one can


class Backlog:
    """What the writer has before it. One thread changes it, any may look.

    Args:
        readers: Read ahead what comes first.
        in_hand: Says what is being indexed, and what is suspected to end the process.
        goes_first: Whether a file may be dealt with before the one that is being indexed.
    """

    def __init__(
        self,
        readers: Readers,
        in_hand: InHand,
        goes_first: Callable[[FileVersion], bool] = lambda file: True,
    ) -> None:
        self._readers = readers
        self._in_hand = in_hand
        self._goes_first = goes_first
        self._changing = threading.Lock()
        self._waiting: dict[Place, FileVersion] = {}
        self._under_way: dict[Place, tuple[FileVersion, Future[Reading]]] = {}
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._under_way)

    @property
    def size_bytes(self) -> int:
        """Length of all the files together."""
        return self._size_bytes

    @property
    def files(self) -> list[FileVersion]:
        """All that wait; those being read come first."""
        with self._changing:
            return [*(file for file, _ in self._under_way.values()), *self._waiting.values()]

    @property
    def has_reading(self) -> bool:
        """Whether a reading can be taken."""
        with self._changing:
            return any(reading.done() for _, reading in self._under_way.values())

    def put(self, files: Iterable[FileVersion]) -> None:
        """Takes the place of what was waiting; what is being read goes on."""
        with self._changing:
            self._waiting = {place_of(file): file for file in files if place_of(file) not in self._under_way}
            under_way = [file for file, _ in self._under_way.values()]
            self._size_bytes = sum(file.size_bytes for file in (*under_way, *self._waiting.values()))
            self._read_ahead()

    def take(self) -> tuple[FileVersion, Callable[[], Reading]] | None:
        """A file that was read and may go first, and what gives its reading; None while there is none."""
        with self._changing:
            self._read_ahead()
            for place, (file, reading) in self._under_way.items():
                if reading.done() and self._goes_first(_weighed(file, reading)):
                    del self._under_way[place]
                    self._size_bytes -= file.size_bytes
                    return file, reading.result
        return None

    def read_ahead(self) -> None:
        """Begins to read what may be read beside the file that is being indexed."""
        with self._changing:
            self._read_ahead()

    def clear(self) -> None:
        """Forgets everything; what is being read is read in vain."""
        with self._changing:
            for _, reading in self._under_way.values():
                reading.cancel()
            self._waiting.clear()
            self._under_way.clear()
            self._size_bytes = 0

    def _read_ahead(self) -> None:
        for place, file in list(islice(self._waiting.items(), _LOOKED_AT)):
            if len(self._under_way) == self._readers.capacity:
                return
            if self._may_be_read(file):
                del self._waiting[place]
                self._under_way[place] = (file, self._readers.read(file))

    def _may_be_read(self, file: FileVersion) -> bool:
        others = [_weighed(other, reading) for other, reading in self._under_way.values()]
        if self._in_hand.deaths(file):
            return not others and not self._in_hand.files
        if any(map(self._in_hand.deaths, others)):
            return False
        ahead = [other.size_bytes for other in others if other.size_bytes <= AHEAD_BYTES]
        if file.size_bytes <= AHEAD_BYTES:
            return sum(ahead) + file.size_bytes <= AHEAD_BYTES
        return len(ahead) == len(others) and self._goes_first(file)


def _weighed(file: FileVersion, reading: "Future[Reading]") -> FileVersion:
    """A file as long as its text is, where that is longer: some formats hold a hundred times their length."""
    failed = not reading.done() or reading.cancelled() or reading.exception()
    document = None if failed else reading.result().document
    return replace(file, size_bytes=max(file.size_bytes, len(document.text) if document else 0))
