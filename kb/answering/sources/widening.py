"""A search that takes its time: the model says under which words the answer may stand, and reads what is found.

"How much did they spend on research?" is answered by a row of a table, "Research and development expense": the words of
the question lead near it, those of a reader who knows such documents to it. What both find is read passage by passage,
and what holds the answer comes first. Bounded in passages, tokens and seconds; what is found until the time is up
counts. Knows the search only as a function.
"""

import re
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

from kb.answering.prompts.prompt import build_prompt
from kb.answering.prompts.tokens import token_counter
from kb.answering.sources.retrieval import Search
from kb.judging.calibration import Calibration
from kb.ports import LanguageModel, Looker
from kb.text.languages import asked_in
from kb.values.answers import Step
from kb.values.chat import Delta, GenerationOptions, Heartbeat, Looked, Message
from kb.values.passages import Passage

MOST_WORDINGS = 6
WORDING_TOKENS = 72
MOST_READ = 10
"""Passages that the model reads."""

SOURCE_TOKENS = 320
"""Of each passage it reads so much."""

SECONDS = 60.0
"""How long all of it may take."""

_RANK_DAMPING = 60  # Cormack, Clarke and Büttcher 2009, reciprocal rank fusion
_QUESTION_WEIGHT = 2  # of the question's own list, against one for that of each wording
_LONGEST_WORDING = 80  # characters

_ASKED = {
    "en": "Question: {question}\n"
    "Under which headings, rows of a table or other words may the answer stand in a document?"
    " Write up to {most} of them, one on each line, and nothing else.",
    "zh": "问题：{question}\n答案在文档里可能出现在哪些标题、表格行或其他词语之下？"
    "最多写 {most} 个，每行一个，不要写别的。",
}
_MARK = re.compile(r"^\W*(?:\d{1,2}[.)、]\s*)?")

Events = Generator[Step | Heartbeat, None, tuple[Passage, ...]]


@dataclass(slots=True)
class WideSearch:
    """Finds passages with a model's help.

    Attributes:
        model: Says where to look, and reads, if it is a `Looker`; else the order is that of the searches.
        may_see: Whether a passage may be shown to it.
        calibration: How its looks are read; None: by their margin.
    """

    search: Search
    model: LanguageModel
    may_see: Callable[[Passage], bool] = lambda _: True
    calibration: Calibration | None = None
    _until: float = field(default_factory=lambda: time.monotonic() + SECONDS)

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
        yield Step("words")
        wordings = yield from self._wordings(query)
        depth = max(top_k, MOST_READ)
        lists = [self.search(query, depth)] * _QUESTION_WEIGHT
        lists += [self.search(f"{wording}. {query}", depth) for wording in wordings]
        candidates = fused(lists)[:depth]
        ordered = yield from self._read(query, candidates)
        return in_order(ordered[:top_k])

    def _wordings(self, query: str) -> Generator[Heartbeat, None, list[str]]:
        prompt = _ASKED[asked_in(query)].format(question=query, most=MOST_WORDINGS)
        reply = ""
        stream = self.model.stream([Message("user", prompt)], self._limits(WORDING_TOKENS))
        try:
            for item in stream:
                if isinstance(item, Heartbeat):
                    yield item
                elif isinstance(item, Delta) and item.phase == "answer":
                    reply += item.text
        finally:
            stream.close()
        return wordings_in(reply)

    def _read(self, query: str, candidates: Sequence[Passage]) -> Generator[Step | Heartbeat, None, list[Passage]]:
        """Puts first what the model takes for the answer; what it has not read keeps its place behind."""
        shown: dict[Passage, float] = {}
        read = list(filter(self.may_see, candidates))[:MOST_READ]
        for number, passage in enumerate(read, start=1):
            if self._left <= 0 or not isinstance(self.model, Looker):
                break
            yield Step("passage", number, len(read), passage.name)
            likely = yield from self._look(self.model, query, passage)
            if likely is None:
                break
            shown[passage] = likely
        unread = [passage for passage in candidates if passage not in shown]
        return [*sorted(shown, key=lambda passage: -shown[passage]), *unread]

    def _look(self, model: Looker, query: str, passage: Passage) -> Generator[Heartbeat, None, float | None]:
        prompt = build_prompt(query, [passage], (), token_counter(self.model).count_tokens, SOURCE_TOKENS)
        stream = model.stream_after_looks(prompt.looks([query]), (), self._limits(1))
        likely = None
        try:
            for item in stream:
                if isinstance(item, Heartbeat):
                    yield item
                elif isinstance(item, Looked) and item.margins:
                    (likely,) = self.calibration.log_odds("evidence", item) if self.calibration else item.margins
        finally:
            stream.close()
        return likely

    @property
    def _left(self) -> float:
        return self._until - time.monotonic()

    def _limits(self, answer_tokens: int) -> GenerationOptions:
        return GenerationOptions(reasoning_tokens=0, answer_tokens=answer_tokens, seconds=max(self._left, 0.001))


def wordings_in(reply: str) -> list[str]:
    """The lines of a reply without numbers and marks before them, each once; sentences are left out."""
    lines = (_MARK.sub("", line).strip(' \t*:："“”') for line in reply.splitlines())
    return [line for line in dict.fromkeys(lines) if 0 < len(line) <= _LONGEST_WORDING][:MOST_WORDINGS]


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
