"""A question → a stream of events: passages, reasoning, answer, citations, and the whole answer last.

Whether to answer at all is decided before anything is generated: by what the search found, and then, where the model is
known for it, by what the model finds in the sources.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from kb.answering import remarks
from kb.answering.clock import QuestionClock
from kb.answering.instructions import FindInstructions, without_instructions
from kb.answering.judges import Judges
from kb.answering.retrieval import RetrievalResult
from kb.answering.writing import AnswerOptions, AnswerWriter
from kb.citing.citations import EmbedSentences
from kb.ports import LanguageModel
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, IndexState, PassagesFound
from kb.values.chat import Heartbeat


def answer_events(
    options: AnswerOptions,
    retrieve: Callable[[], RetrievalResult],
    model: Callable[[], LanguageModel | None],
    embed: EmbedSentences,
    index: IndexState,
    find_instructions: FindInstructions,
    judges: Judges,
) -> Generator[AnswerEvent, None, None]:
    """Answers one question.

    Closing the generator stops the generation.

    Args:
        retrieve: Finds the passages.
        model: Gives the language model, or None after a moment while it loads; called after the passages are out, and
            not at all without evidence.
        embed: For citations across languages.
        index: How current the index is.
        find_instructions: What is kept from the model.
        judges: Who says what the passages bear out.

    Yields:
        `PassagesFound` first, `Done` last.
    """
    clock = QuestionClock()
    found = retrieve()
    clock.mark("retrieve_ms")
    yield PassagesFound(found.passages)
    answer = Answer(passages=found.passages, evidence=max(found.evidence, default=0.0), index=index)
    if not found.passages or not options.answered(found.evidence):
        yield from _refuse(options, found, answer, clock)
        return
    while (language_model := model()) is None:
        yield Heartbeat()
    readable, kept_back = without_instructions(found.passages, find_instructions)
    writer = AnswerWriter(options, replace(found, passages=readable), language_model, embed, judges, clock)
    is_answered = yield from writer.events()
    answer = replace(answer, evidence=max(writer.evidence), model=language_model.info.name)
    if not is_answered:
        yield from _refuse(options, found, answer, clock)
        return
    draft, is_borne_out = writer.draft, not writer.draft.is_unsupported
    written = draft.answer
    if is_borne_out:
        yield from writer.remark()
    yield Done(
        replace(
            answer,
            answer=draft.answer if is_borne_out else remarks.unsupported(options.question),
            draft="" if is_borne_out else written,
            reasoning=draft.reasoning,
            citations=draft.citations,
            answerable=bool(written) and is_borne_out,
            unanswered=writer.unanswered,
            finish_reason=draft.finish_reason if is_borne_out else "unsupported",
            timings=clock.timings(draft.end),
            left_out=replace(writer.left_out, instructions=kept_back),
        )
    )


def _refuse(
    options: AnswerOptions, found: RetrievalResult, answer: Answer, clock: QuestionClock
) -> Iterator[AnswerEvent]:
    text = remarks.refusal(options.question, found.nothing_because, answer.index.pending)
    yield AnswerDelta(text)
    yield Done(replace(answer, answer=text, finish_reason="no_evidence", timings=clock.timings()))
