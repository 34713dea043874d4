"""Which sources a model has read while a question was being written. Pure.

With each word the search finds a little else, or the same in another order, and all would be read again. As long as the
two best parts are among those that were read, they do as well: of 160 questions of XQuAD, English and Chinese, the
last two, four or eight characters were left out; 331 of these 476 beginnings were like that, and their sources held
the answer in 327 cases, those of the whole question in 326.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.values.passages import Place

BEST = 2
"""So many of the best parts must have been read."""


@dataclass(frozen=True, slots=True)
class SourcesRead:
    """What a model has read.

    Attributes:
        question: As far as it was written then.
        budget_tokens: Of these sources.
        places: In their order.
    """

    question: str = ""
    budget_tokens: int = 0
    places: tuple[Place, ...] = ()

    def of(self, question: str, budget_tokens: int) -> tuple[Place, ...]:
        """The places if the question goes on with what was written, and may have as many sources; else none."""
        goes_on = question.startswith(self.question) and budget_tokens == self.budget_tokens
        return self.places if goes_on else ()


NOTHING_READ = SourcesRead()


def still_good(read: Sequence[Place], found: Sequence[Place], chosen: Sequence[Place]) -> bool:
    """Whether sources that were read can take the place of others.

    Args:
        found: All that the search has found; what is not among it could not be cited.
        chosen: What it would be without them, best first.
    """
    return bool(read) and set(chosen[:BEST]) <= set(read) <= set(found)
