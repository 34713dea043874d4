"""Which changes of a folder are over: no half-written file is read, and none that is just being replaced is lost.

A file that never comes to rest is read all the same after a while, as it is then.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.folders.place import Place, place_of
from kb.values.documents import DocumentInfo, FileVersion

PATIENCE = 30
"""After so many times the still time, a file that goes on changing is read as it is."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Files that can be read.

    Attributes:
        still: Those that have come to rest.
        restless: Those that have kept changing for so long that waiting more makes no sense.
    """

    still: Sequence[FileVersion]
    restless: Sequence[FileVersion]


class Settling:
    """Remembers since when each file has been seen in its present state, or waiting, or not at all.

    Args:
        still_seconds: How long nothing more must have happened.
    """

    def __init__(self, still_seconds: float) -> None:
        self._still_seconds = still_seconds
        self._seen: dict[FileVersion, float] = {}
        self._waiting: dict[Place, float] = {}
        self._missed: dict[str, float] = {}

    def settled(self, files: Sequence[FileVersion]) -> Settled:
        """Those files that were last written long enough ago, or have long been seen in the same state.

        The second is for files whose time lies in the future.

        Args:
            files: All that wait; what is known of others is forgotten.
        """
        now, clock = time.time(), time.monotonic()
        self._seen = {file: self._seen.get(file, clock) for file in files}
        self._waiting = {place_of(file): self._waiting.get(place_of(file), clock) for file in files}
        still = {
            file: None
            for file, seen in self._seen.items()
            if max(now - file.modified_ns / 1e9, clock - seen) >= self._still_seconds
        }
        restless = [
            file
            for file in self._seen
            if file not in still and clock - self._waiting[place_of(file)] >= PATIENCE * self._still_seconds
        ]
        return Settled(list(still), restless)

    def read(self, file: FileVersion) -> None:
        """Tells that a version of a file was read: if it changes again, patience begins anew."""
        self._waiting.pop(place_of(file), None)

    def gone(self, documents: Sequence[DocumentInfo]) -> list[DocumentInfo]:
        """Those documents whose file has been missing for long enough; some programs save by taking the old file away.

        Args:
            documents: All whose file is missing; what is known of others is forgotten.
        """
        clock = time.monotonic()
        self._missed = {document.id: self._missed.get(document.id, clock) for document in documents}
        return [document for document in documents if clock - self._missed[document.id] >= self._still_seconds]
