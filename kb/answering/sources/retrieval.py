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
    _given: dict[int, "_Given"] = field(default_factory=dict)
    _weighed: dict[int, float] = field(default_factory=dict)

    def give(self, number: int, passages: Sequence[Passage], evidence: float | None) -> None:
        """Has the next search for a part give these, and once: who searches again does it because files have changed.

        Args:
            number: Of the part, from 0.
            evidence: How likely they hold its answer, in 0…1; None: they are weighed as others are.
        """
        self._given[number] = _Given(passages, evidence)

    def passages(self, top_k: int) -> tuple[Passage, ...]:
        """Searches for each part; the best of each come before the second best of any.

        Args:
            top_k: How many passages at the most, but one for each part.
        """
        given, self._given = self._given, {}
        self._found = [
            given[n].passages if n in given else self.search(part.query, top_k) for n, part in enumerate(self.parts)
        ]
        self._weighed = {n: each.evidence for n, each in given.items() if each.evidence is not None}
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
        shown = [[each for each in found if any(_holds(other, each) for other in passages)] for found in self._found]
        return tuple(
            self._weighed.get(n, self.likelihood(part.query, found)) if found else 0.0
            for n, (part, found) in enumerate(zip(self.parts, shown, strict=True))
        )

    @property
    def prospects(self) -> tuple[float, ...]:
        """The evidence for each part in all that the last search has found for it."""
        return tuple(self.likelihood(part.query, found) for part, found in zip(self.parts, self._found, strict=True))

    def likelihood(self, query: str, passages: Sequence[Passage]) -> float:
        """How likely passages hold the answer, in 0…1; none do not."""
        each = (likelihood(query, passage, is_calibrated=self.is_calibrated) for passage in passages)
        return max(each, default=0.0)


@dataclass(frozen=True, slots=True)
class _Given:
    passages: Sequence[Passage]
    evidence: float | None


def _holds(one: Passage, other: Passage) -> bool:
    return one.document_id == other.document_id and one.start <= other.start and other.end <= one.end
