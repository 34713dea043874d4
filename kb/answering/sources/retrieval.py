"""What was found for a question that may ask several things: passages for all of them, and the evidence for each.

Knows the search only as a function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest

from kb.judging.evidence import likelihood
from kb.values.passages import Passage

Search = Callable[[str, int], Sequence[Passage]]
"""Finds so many passages for a query."""


@dataclass(frozen=True, slots=True)
class SubQuestion:
    """One thing that is asked.

    Attributes:
        text: As it was asked.
        query: What is searched for: it can stand alone.
    """

    text: str
    query: str


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """What was found.

    Attributes:
        passages: Best first, numbered from 1.
        evidence: For each part of the question how likely the passages hold its answer; in 0…1.
        nothing_because: Why there are no passages.
    """

    passages: tuple[Passage, ...]
    evidence: tuple[float, ...]
    nothing_because: str = ""


@dataclass(slots=True)
class SubQuestionSearch:
    """The searches for one question.

    Attributes:
        parts: One or more.
        is_calibrated: See `kb.judging.evidence.likelihood`.
    """

    parts: Sequence[SubQuestion]
    search: Search
    is_calibrated: bool = True
    _found: list[Sequence[Passage]] = field(default_factory=list)

    def passages(self, top_k: int) -> tuple[Passage, ...]:
        """Searches for each part; the best of each come before the second best of any.

        Args:
            top_k: How many passages at the most, but one for each part.
        """
        self._found = [self.search(part.query, top_k) for part in self.parts]
        chosen: list[Passage] = []
        for passage in filter(None, chain.from_iterable(zip_longest(*self._found))):
            if not any(_holds(other, passage) for other in chosen):
                chosen = [other for other in chosen if not _holds(passage, other)] + [passage]
        shown = chosen[: max(top_k, len(self.parts))]
        return tuple(replace(passage, number=n) for n, passage in enumerate(shown, start=1))

    def evidence(self, passages: Sequence[Passage]) -> tuple[float, ...]:
        """The evidence for each part, as far as what was found for it is shown.

        Args:
            passages: Those of the last search that are still there.
        """
        return tuple(
            max(
                (
                    self._likelihood(part, passage)
                    for passage in found
                    if any(_holds(shown, passage) for shown in passages)
                ),
                default=0.0,
            )
            for part, found in zip(self.parts, self._found, strict=True)
        )

    def _likelihood(self, part: SubQuestion, passage: Passage) -> float:
        return likelihood(part.query, passage, is_calibrated=self.is_calibrated)


def _holds(one: Passage, other: Passage) -> bool:
    return one.document_id == other.document_id and one.start <= other.start and other.end <= one.end
