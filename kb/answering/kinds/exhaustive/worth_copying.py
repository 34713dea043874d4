"""Which passages hold some of what is listed: the model looks at each before it copies from it.

The look is that for the answer to a question, see `kb.judging.evidence`. What the search finds near counts no more for
it, since all passages of one document are near; what it finds far counts against it. How likely the passages that hold
items are differs from list to list (the best of one has .22, of another .99), so each is held against the best of its
own list. With Qwen2.5-Coder 1.5B, ten lists in the documents that ship and 12 in others: where half of the best is
enough, 31 of 74 and 49 of 64 passages are copied from, and .78 and .58 of all items are listed; where a passage must be
likely by itself (.5), 27 and 38, and .78 and .42. Counted from one run's recorded looks.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from kb.answering.sources.reading import Bounds, Reader
from kb.judging.evidence import with_look
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

BOUNDS = Bounds(seconds=900.0, tokens=100_000, passages=1, more=0)
"""Of all looks for one list; each takes as long as its passage is to read."""

_LEAST = 0.05  # from what is less likely to hold some, nothing is copied
_OF_THE_BEST = 0.5  # nor from what is less likely than this share of the best
_UNKNOWN = 0.5
"""What the search counts at the most."""


def worth_copying(likely: Sequence[float]) -> list[bool]:
    """Which passages of a list are copied from.

    Args:
        likely: How likely each holds some, in 0…1.
    """
    least = max(_LEAST, _OF_THE_BEST * max(likely, default=0.0))
    return [each >= least for each in likely]


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Looks at passages.

    Attributes:
        near: What the search has found, with how likely it holds an answer, in 0…1.
    """

    question: str
    near: Sequence[tuple[Passage, float]]
    reader: Reader

    def likely(self, passage: Passage) -> Generator[Heartbeat, None, float]:
        """How likely a passage holds some, in 0…1; 1 where the model cannot tell."""
        if not self.reader.can_tell:
            return 1.0
        log_odds = yield from self.reader.read(self.question, [passage])
        return 1.0 if log_odds is None else with_look(self._prospect(passage), log_odds)

    def _prospect(self, passage: Passage) -> float:
        """By the search; what it has not found is farther than what it has."""
        over = [likely for other, likely in self.near if _overlap(other, passage)]
        return min(_UNKNOWN, max(over, default=min((likely for _, likely in self.near), default=_UNKNOWN)))


def _overlap(one: Passage, other: Passage) -> bool:
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end
