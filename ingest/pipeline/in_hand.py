"""The files that are being worked on, noted in the data directory for the case that the process does not survive one.

Who finds files noted at the start knows that the process ended while it worked on them: for one of them perhaps, or by
chance. Such suspects come last and are read alone, so that a second death tells which it was.
"""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from pathlib import Path

from ingest.folders.listing import stat_file
from kb.values.documents import FileVersion

MAX_DEATHS = 2
"""So often a file may end its reader, or the service, before it is left alone: once may be the machine's fault."""

NOTE_NAME = "in_hand.json"


class InHand:
    """Says which files are being worked on, and how often the process has ended over one.

    Args:
        note: Where it is written down; no file is synchronised with the disk, as it is for the end of a process only.
    """

    def __init__(self, note: Path) -> None:
        self._note = note
        self._changing = threading.Lock()
        self._read: list[FileVersion] = []
        self._indexed: list[FileVersion] = []
        self._deaths = self._left_over()

    @property
    def files(self) -> list[FileVersion]:
        """Those that are being indexed; each waits for the one after it, as that is smaller or more urgent."""
        return self._indexed.copy()

    def deaths(self, file: FileVersion) -> int:
        """How often the process has ended while it worked on this version of a file."""
        return self._deaths.get(_key(file), 0) if self._deaths else 0

    @contextmanager
    def reading(self, file: FileVersion) -> Iterator[None]:
        """A file is read inside the block; in any thread."""
        with self._holding(self._read, file):
            yield

    @contextmanager
    def indexing(self, file: FileVersion) -> Iterator[None]:
        """A file is indexed inside the block; one that was before rests meanwhile."""
        with self._holding(self._indexed, file):
            yield

    def forgive(self, file: FileVersion) -> None:
        """Forgets that the process has ended over a file: it is indexed, or recorded as failed."""
        if self.deaths(file):
            with self._changing:
                del self._deaths[_key(file)]
                self._write()

    @contextmanager
    def _holding(self, files: list[FileVersion], file: FileVersion) -> Iterator[None]:
        file = _key(file)
        with self._changing:
            files.append(file)
            self._write()
        try:
            yield
        finally:
            with self._changing:
                files.remove(file)
                self._write()

    def _left_over(self) -> dict[FileVersion, int]:
        """What the process before has noted of files that are the same; what it had in hand has one death more."""
        with contextlib.suppress(OSError, ValueError, TypeError):  # a note that cannot be read tells nothing
            noted = [
                (FileVersion(*version), int(deaths)) for version, deaths in json.loads(self._note.read_text("utf-8"))
            ]
            return {
                file: deaths
                for file, deaths in noted
                if stat_file(Path(file.root), Path(file.root, file.source)) == file
            }
        return {}

    def _write(self) -> None:
        at_work = [*self._read, *self._indexed[-1:]]
        counts = {**self._deaths, **{file: self.deaths(file) + 1 for file in at_work}}
        draft = self._note.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk is told by those who have more to write
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump([(astuple(version), deaths) for version, deaths in counts.items()], file)
            draft.replace(self._note)


def _key(file: FileVersion) -> FileVersion:
    return replace(file, sha256="")
