"""Files that wait to be indexed, in order, and those of them that are being read ahead."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from ingest.folders.place import Place, place_of
from ingest.pipeline.reading import Readers, Reading
from kb.values.documents import FileVersion


class Backlog:
    """What the writer has before it. One thread changes it, any may look.

    Args:
        readers: Read ahead what comes first.
    """

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
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
        """A file that was read, and what gives its reading; None while there is none."""
        with self._changing:
            for place, (file, reading) in self._under_way.items():
                if reading.done():
                    del self._under_way[place]
                    self._size_bytes -= file.size_bytes
                    self._read_ahead()
                    return file, reading.result
        return None

    def clear(self) -> None:
        """Forgets everything; what is being read is read in vain."""
        with self._changing:
            for _, reading in self._under_way.values():
                reading.cancel()
            self._waiting.clear()
            self._under_way.clear()
            self._size_bytes = 0

    def _read_ahead(self) -> None:
        while self._waiting and len(self._under_way) < self._readers.capacity:
            place = next(iter(self._waiting))
            file = self._waiting.pop(place)
            self._under_way[place] = (file, self._readers.read(file))
