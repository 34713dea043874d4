"""Which changes of a folder are over: no half-written file is read, and none that is just being replaced is lost."""

import time
from collections.abc import Sequence

from kb.types import DocumentInfo, FileVersion


class Settling:
    """Remembers since when each file has been seen in its present state, or not at all.

    Args:
        still_seconds: How long nothing more must have happened.
    """

    def __init__(self, still_seconds: float) -> None:
        self._still_seconds = still_seconds
        self._seen: dict[FileVersion, float] = {}
        self._missed: dict[str, float] = {}

    def settled(self, files: Sequence[FileVersion]) -> list[FileVersion]:
        """Those files that were last written long enough ago, or have long been seen in the same state.

        The second is for files whose time lies in the future.

        Args:
            files: All that wait; what is known of others is forgotten.
        """
        now, clock = time.time(), time.monotonic()
        self._seen = {file: self._seen.get(file, clock) for file in files}
        return [
            file
            for file, seen in self._seen.items()
            if max(now - file.modified_ns / 1e9, clock - seen) >= self._still_seconds
        ]

    def gone(self, documents: Sequence[DocumentInfo]) -> list[DocumentInfo]:
        """Those documents whose file has been missing for long enough; some programs save by taking the old file away.

        Args:
            documents: All whose file is missing; what is known of others is forgotten.
        """
        clock = time.monotonic()
        self._missed = {document.id: self._missed.get(document.id, clock) for document in documents}
        return [document for document in documents if clock - self._missed[document.id] >= self._still_seconds]
