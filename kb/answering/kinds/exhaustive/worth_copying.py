"""Which passages hold some of what is listed: the model looks at each before it copies from it.

The look is that for the answer to a question, see `kb.judging.evidence`. What the search finds near counts no more for
it, since all passages of one document are near; what it finds far counts against it. With Qwen2.5-Coder 1.5B, ten lists
in two languages and 126 passages: those where the items stand have at least .69, and one of five passages is copied
from. Of what is listed, .79 is right, and .49 without; .77 of all is listed, and .79 without (`kb eval kinds`).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from kb.answering.sources.reading import Bounds, Reader
from kb.judging.evidence import with_look
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

BOUNDS = Bounds(seconds=900.0, tokens=100_000, passages=1, more=0)
"""Of all looks for one list; each takes as long as its passage is to read."""

LEAST = 0.5
"""From what is less likely to hold some, nothing is copied."""

_UNKNOWN = 0.5
"""What the search counts at the most."""


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
