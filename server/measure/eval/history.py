"""The history of runs: a file with one JSON object a line, to which each run adds one.

Lines are never changed. Those that cannot be read, because a disk was full or somebody edited them, are passed over.
"""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from kb.errors import StorageError
from server.measure.eval.runs import Run
from server.terminal import console

HISTORY_NAME = "evaluations.jsonl"

_RUN = TypeAdapter(Run)


class History:
    """All runs of one data directory.

    Args:
        home: The data directory; need not be there.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / HISTORY_NAME

    def runs(self) -> list[Run]:
        """What has been noted, oldest first; damaged lines are passed over with a warning.

        Raises:
            StorageError: The file cannot be read.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read: {error.strerror}", "check its permissions") from error
        runs = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                runs.append(_RUN.validate_json(line))
            except ValidationError:
                console.err.print(f"{self.path}: line {number} is damaged and is passed over", markup=False)
        return runs

    def previous(self, run: Run) -> Run | None:
        """The last run over the same set, or None."""
        return next((before for before in reversed(self.runs()) if before.set.is_like(run.set)), None)

    def add(self, run: Run) -> None:
        """Notes a run.

        Raises:
            StorageError: The file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(0o600)
            with self.path.open("ab") as file:
                after_half_a_line = file.tell() and not self.path.read_bytes().endswith(b"\n")
                file.write((b"\n" if after_half_a_line else b"") + _RUN.dump_json(run) + b"\n")
        except OSError as error:
            reason = f"{self.path} cannot be written: {error.strerror}"
            raise StorageError(reason, "the run is not in the history; check disk and permissions") from error
