"""The command `kb`, as tests run it."""

from collections.abc import Callable
from dataclasses import dataclass

DOME = "# Dome\n\nThe second dome was repaired in March.\n"

QUESTION = "When was the second dome repaired?"


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What it said of an error, on one line; nothing else may be said of one."""
        assert "Traceback" not in self.err
        assert self.out == ""
        assert "error:" in self.err
        assert "→" in self.err, "a hint"
        return " ".join(self.err.split())


Run = Callable[..., Ran]
