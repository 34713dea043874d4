"""How far a long piece of work is, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long piece of work is.

    Attributes:
        label: What is being worked on.
        total: None while it is not known.
    """

    label: str
    done: int
    total: int | None
    unit: Literal["bytes", "files", "chunks", "looks"] = "bytes"


Report = Callable[[Progress], None]
"""Is told how far a piece of work is; what it raises ends the work."""
