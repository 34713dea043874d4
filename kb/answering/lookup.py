"""A question → a stream of events: passages, reasoning, answer, citations, and the whole answer last.

Whether to answer at all is decided before anything is generated: by what the search found, and then, where the model is
known for it, by what the model finds in the sources.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from kb.answering import remarks
from kb.answering.clock import QuestionClock
from kb.answering.retrieval import Findings
from kb.answering.writing import Attempt, Brief
from kb.citing.citations import EmbedSentences
from kb.ports import LanguageModel
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, IndexState, PassagesFound
from kb.values.chat import Heartbeat


def answer_events(
    brief: Brief,
    retrieve: Callable[[], Findings],
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
    clock = QuestionClock()
    findings = retrieve()
    clock.mark("retrieve_ms")
    yield PassagesFound(findings.passages)
    answer = Answer(passages=findings.passages, evidence=max(findings.evidence, default=0.0), index=index)
    if not findings.passages or not brief.answered(findings.evidence):
        yield from _refuse(brief, findings, answer, clock)
        return
    while (language_model := model()) is None:
        yield Heartbeat()
    attempt = Attempt(brief, findings, language_model, embed, clock)
    is_answered = yield from attempt.events()
    answer = replace(answer, evidence=max(attempt.evidence), model=language_model.info.name)
    if not is_answered:
        yield from _refuse(brief, findings, answer, clock)
        return
    draft = attempt.draft
    is_something_said = bool(draft.answer)
    yield from attempt.remark()
    yield Done(
        replace(
            answer,
            answer=draft.answer,
            reasoning=draft.reasoning,
            citations=tuple(draft.citations),
            answerable=is_something_said,
            unanswered=attempt.unanswered,
            finish_reason=draft.finish_reason,
            timings=clock.timings(draft.end),
            left_out=attempt.left_out,
        )
    )


def _refuse(brief: Brief, findings: Findings, answer: Answer, clock: QuestionClock) -> Iterator[AnswerEvent]:
    text = remarks.refusal(brief.question, findings.nothing_because)
    yield AnswerDelta(text)
    yield Done(replace(answer, answer=text, finish_reason="no_evidence", timings=clock.timings()))
