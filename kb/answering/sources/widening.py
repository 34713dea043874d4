"""A search that takes its time: the model says under which words to look, reads what is found, and follows it.

"How much did they spend on research?" is answered by a row of a table, "Research and development expense": the words of
the question lead near it, those of a reader who knows such documents to it. "How tight must the cover be?" is answered
by a section that says "torque class B, see Table 6", and by that table: the second round looks for what the first one
has led to, and reads both together. Bounded in passages, tokens and seconds; what is found until then counts. Knows the
search only as a function.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

from kb.answering.prompts.prompt import build_prompt
from kb.answering.prompts.tokens import token_counter
from kb.answering.sources.reading import SOURCE_TOKENS, Bounds, Reader
from kb.answering.sources.retrieval import Search
from kb.answering.sources.wording import (
    LEAD_TOKENS,
    MOST_LEADS,
    WORDING_TOKENS,
    asking_for_leads,
    asking_for_words,
    wordings_in,
)
from kb.judging.evidence import with_look
from kb.ports import Looker
from kb.values.answers import Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

THOROUGH = Bounds(seconds=60.0, tokens=6000, passages=10, more=4)
"""Of a question that is to be searched for thoroughly."""

BY_ITSELF = Bounds(seconds=20.0, tokens=2400, passages=5, more=3)
"""Of one that goes on by itself where little was found."""

DEPTH = 10
"""Passages that each search gives."""

CERTAIN = 0.95
"""Who has read a passage that holds the answer with this probability reads no other."""

_RANK_DAMPING = 60  # Cormack, Clarke and Büttcher 2009, reciprocal rank fusion
_QUESTION_WEIGHT = 2  # of the question's own list, against one for that of each wording
_BRIDGES = 2  # passages that the second round starts from
_LEADING_CHARS = 600  # of a passage, searched for together with the question

Weigh = Callable[[str, Sequence[Passage]], float]
Events = Generator[Step | Heartbeat, None, tuple[Passage, ...]]


@dataclass(slots=True)
class WideSearch:
    """Finds passages with a model's help.

    Attributes:
        reader: Says where to look, and reads, if its model is a `Looker`; else the order is that of the searches.
        weigh: Says how likely passages hold the answer, before they are read.
        prior: How likely the answer is there at all, by the search for the question itself; in 0…1.
        evidence: How likely what was read holds the answer, in 0…1; 0 where the reader cannot tell.
    """

    search: Search
    reader: Reader
    weigh: Weigh
    prior: float = 0.0
    evidence: float = 0.0
    _read: dict[tuple[Passage, ...], float] = field(default_factory=dict)

    def passages(self, query: str, top_k: int) -> Events:
        """Finds the passages that hold the answer.

        Closing the generator stops the work.

        Args:
            top_k: How many passages at the most.

        Yields:
            A step before each piece of work.

        Returns:
            Best first, numbered from 1.
        """
        depth = max(top_k, DEPTH)
        own = self.search(query, depth)
        self.prior = self.weigh(query, own[:top_k])
        yield Step("words")
        reply = yield from self.reader.write(asking_for_words(query), WORDING_TOKENS)
        lists = [self.search(f"{wording}. {query}", depth) for wording in wordings_in(reply)]
        candidates = fused([own] * _QUESTION_WEIGHT + lists)[:depth]
        if isinstance(self.reader.model, Looker):
            yield from self._look_through(query, [(passage,) for passage in candidates], self.reader.bounds.passages)
            yield from self._follow(query)
        return in_order(self._ordered(candidates)[:top_k])

    def _look_through(
        self, query: str, groups: Sequence[tuple[Passage, ...]], most: int
    ) -> Generator[Step | Heartbeat, None, None]:
        """Reads passages, those of a group together, until the answer is certainly there."""
        readable = [group for group in groups if all(map(self.reader.may_see, group))][:most]
        for number, group in enumerate(readable, start=1):
            if self.evidence >= CERTAIN or not self.reader.may_go_on:
                return
            yield Step("passage", number, len(readable), group[-1].name)
            look = yield from self.reader.read(query, in_order(group))
            if look is None:
                return
            self._read[group] = look
            if self.reader.can_tell:
                self.evidence = max(self.evidence, with_look(self.prior, look))

    def _follow(self, query: str) -> Generator[Step | Heartbeat, None, None]:
        """Looks for what the best passages lead to, and reads it together with them."""
        if not self._read or self.evidence >= CERTAIN or not self.reader.may_go_on:
            return
        yield Step("leads")
        best = [passage for (passage,) in sorted(self._read, key=self._read.__getitem__, reverse=True)[:_BRIDGES]]
        counter = token_counter(self.reader.model)
        sources = build_prompt(query, best, (), counter.count_tokens, SOURCE_TOKENS).sources
        reply = yield from self.reader.write(asking_for_leads(query, sources), LEAD_TOKENS)
        queries = [f"{lead}. {query}" for lead in wordings_in(reply, MOST_LEADS)]
        queries += [f"{passage.text[:_LEADING_CHARS]} {query}" for passage in best]
        found = fused([self.search(each, DEPTH) for each in queries])
        others = [passage for passage in found if not _overlap(passage, best[0])]
        yield from self._look_through(query, [(best[0], passage) for passage in others], self.reader.bounds.more)

    def _ordered(self, candidates: Sequence[Passage]) -> list[Passage]:
        """What was taken for the answer, the likeliest first; all else keeps the place that the searches gave it."""
        alone = {group: look for group, look in self._read.items() if len(group) == 1}
        best = max([0.0, *alone.values()])  # two together that say no more than one of them are not better together
        taken = [group for group, look in self._read.items() if look > (0.0 if group in alone else best)]
        groups = sorted(taken, key=self._read.__getitem__, reverse=True)
        return list(dict.fromkeys([passage for group in groups for passage in group] + list(candidates)))


def fused(lists: Sequence[Sequence[Passage]]) -> list[Passage]:
    """Several lists of passages as one; those that overlap are one passage, as it was found first."""
    scores: dict[Passage, float] = {}
    for found in lists:
        for rank, passage in enumerate(found, start=1):
            same = next((known for known in scores if _overlap(known, passage)), passage)
            scores[same] = scores.get(same, 0.0) + 1 / (_RANK_DAMPING + rank)
    return sorted(scores, key=lambda passage: -scores[passage])


def in_order(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Numbers passages, and exchanges their scores so that the first has the best one."""
    scores = sorted((passage.score for passage in passages), reverse=True)
    return tuple(
        replace(
            passage,
            number=number,
            score=score,
            parts=tuple(replace(part, score=part.score + score - passage.score) for part in passage.parts),
        )
        for number, (passage, score) in enumerate(zip(passages, scores, strict=True), start=1)
    )


def _overlap(one: Passage, other: Passage) -> bool:
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end
