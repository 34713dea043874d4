"""What is asked in a test set, and where in the documents the answer stands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document.

    Attributes:
        start: In characters of the document's text; half-open with `end`.
    """

    document_id: str
    start: int
    end: int

    def overlap(self, other: "Span") -> int:
        """How many characters two stretches have in common."""
        if self.document_id != other.document_id:
            return 0
        return max(0, min(self.end, other.end) - max(self.start, other.start))


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a test set.

    Attributes:
        answers: Wordings that count as right; empty where none are known.
        answerable: Whether the documents hold an answer.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool = True


def spread_out(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Takes a sample at even distances, so that it comes from all parts of a set, and is the same each time.

    Args:
        limit: How many at the most; None: all.
    """
    count = len(items) if limit is None else min(limit, len(items))
    return [items[place * len(items) // count] for place in range(count)]
