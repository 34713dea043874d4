"""A question → a stream of events: passages, reasoning, answer, citations, and the whole answer last.

Whether to answer at all is decided here, from the evidence, before any generation. Which text is reasoning is the
language model's knowledge: its deltas arrive with their phase.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from kb.citations import Citer, EmbedSentences
from kb.generation import Delta, GenerationEnd, GenerationOptions
from kb.ports import LanguageModel
from kb.prompt import build_prompt
from kb.text import language, sentence_spans
from kb.types import (
    Answer,
    AnswerDelta,
    AnswerEvent,
    Citation,
    CitationFound,
    Done,
    FinishReason,
    Heartbeat,
    IndexState,
    Passage,
    PassagesFound,
    ReasoningDelta,
    Timings,
    Turn,
)

NO_EVIDENCE = {
    "en": "The documents do not seem to answer this. The nearest passages are shown.",
    "zh": "文档中似乎没有这个问题的答案。下面是最接近的段落。",
}
NO_DOCUMENTS = {
    "en": "Nothing is indexed yet. Put PDF or Markdown files into a watched folder.",
    "zh": "还没有索引任何文档。请把 PDF 或 Markdown 文件放进监视的文件夹。",
}
NOTHING_PASSES = {
    "en": "Within the filters there is nothing to answer from. Remove one, or choose others.",
    "zh": "筛选范围内没有可供回答的文档。请去掉或更换筛选条件。",
}

TEMPLATE_TOKENS = 160
"""Room kept in the context window for instruction and template."""


@dataclass(frozen=True, slots=True)
class Request:
    """A question with all that decides how it is answered.

    Attributes:
        passage_tokens: Budget of passages and history in the prompt.
        min_similarity: The service declines if no passage comes this near to the question.
        narrowed: Whether filters leave out some of the documents.
    """

    question: str
    history: Sequence[Turn]
    options: GenerationOptions
    passage_tokens: int
    min_similarity: float
    narrowed: bool = False


def answer_events(
    request: Request,
    retrieve: Callable[[], tuple[Passage, ...]],
    model: Callable[[], LanguageModel | None],
    embed: EmbedSentences,
    index: IndexState,
) -> Generator[AnswerEvent, None, None]:
    """Answers one question.

    Closing the generator stops the generation.

    Args:
        retrieve: Finds the passages.
        model: Gives the language model, or None after a moment while it loads; called after the passages are out, and
            not at all without evidence.
        embed: For citations across languages.
        index: How current the index is.

    Yields:
        `PassagesFound` first, `Done` last.
    """
    clock = _Clock()
    passages = retrieve()
    clock.mark("retrieve_ms")
    yield PassagesFound(passages)
    if not _has_evidence(passages, request.min_similarity):
        nothing = NOTHING_PASSES if request.narrowed else NO_DOCUMENTS
        text = (NO_EVIDENCE if passages else nothing)[language(request.question)]
        yield AnswerDelta(text)
        yield Done(Answer(text, "", (), passages, False, "", "no_evidence", clock.timings(), index))
        return
    draft = _Draft(Citer(request.question, passages, embed))
    while (language_model := model()) is None:
        yield Heartbeat()
    yield from _generate(request, passages, language_model, draft, clock)
    yield Done(
        Answer(
            answer=draft.answer,
            reasoning=draft.reasoning,
            citations=tuple(draft.citations),
            passages=passages,
            answerable=bool(draft.answer),
            model=language_model.info.name,
            finish_reason=draft.finish_reason,
            timings=clock.timings(draft.end),
            index=index,
        )
    )


def _has_evidence(passages: Sequence[Passage], min_similarity: float) -> bool:
    similarities = [passage.similarity for passage in passages if passage.similarity is not None]
    return max(similarities, default=-1.0) >= min_similarity


def _generate(
    request: Request, passages: Sequence[Passage], model: LanguageModel, draft: "_Draft", clock: "_Clock"
) -> Iterator[AnswerEvent]:
    options = request.options
    thinking_tokens = options.reasoning_tokens if model.info.reasons else 0
    reserved = TEMPLATE_TOKENS + model.count_tokens(request.question) + options.answer_tokens + thinking_tokens
    budget = min(request.passage_tokens, model.info.context_tokens - reserved)
    messages = build_prompt(request.question, passages, request.history, model.count_tokens, budget)
    stream = model.stream(messages, options)
    try:
        for item in stream:
            if isinstance(item, GenerationEnd):
                draft.end = item
            elif isinstance(item, Heartbeat):
                yield item
            else:
                clock.mark("prompt_ms")
                clock.mark(f"first_{item.phase}_ms")
                yield from draft.add(item)
    finally:
        stream.close()
    yield from draft.finish()


@dataclass(slots=True)
class _Draft:
    """The answer as far as it is written, and its citations as far as its sentences have ended."""

    citer: Citer
    answer: str = ""
    reasoning: str = ""
    citations: list[Citation] = field(default_factory=list)
    end: GenerationEnd | None = None
    _cited_until: int = 0

    @property
    def finish_reason(self) -> FinishReason:
        return self.end.finish_reason if self.end else "cancelled"

    def add(self, delta: Delta) -> Iterator[AnswerEvent]:
        if delta.phase == "reasoning":
            self.reasoning += delta.text
            yield ReasoningDelta(delta.text)
            return
        self.answer += delta.text
        yield AnswerDelta(delta.text)
        yield from self._cite(sentence_spans(self.answer[self._cited_until :])[:-1])

    def finish(self) -> Iterator[AnswerEvent]:
        yield from self._cite(sentence_spans(self.answer[self._cited_until :]))

    def _cite(self, spans: Sequence[tuple[int, int]]) -> Iterator[AnswerEvent]:
        offset = self._cited_until
        for start, end in spans:
            self._cited_until = offset + end
            citation = self.citer.cite(self.answer, (offset + start, offset + end))
            if citation is not None:
                self.citations.append(citation)
                yield CitationFound(citation)


class _Clock:
    """Milliseconds since the question arrived; only the first mark of a name counts."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._marks: dict[str, float] = {}

    def mark(self, name: str) -> None:
        self._marks.setdefault(name, self._elapsed())

    def timings(self, end: GenerationEnd | None = None) -> Timings:
        return Timings(
            retrieve_ms=self._marks.get("retrieve_ms", 0.0),
            prompt_ms=self._marks.get("prompt_ms", 0.0),
            first_reasoning_ms=self._marks.get("first_reasoning_ms"),
            first_answer_ms=self._marks.get("first_answer_ms"),
            total_ms=self._elapsed(),
            prompt_tokens=end.prompt_tokens if end else 0,
            reasoning_tokens=end.reasoning_tokens if end else 0,
            answer_tokens=end.answer_tokens if end else 0,
        )

    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)
