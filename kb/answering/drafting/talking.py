"""What the model says by itself, without documents: messages → a stream of events, as those of an answer.

Knows nothing about passages; nothing is cited.
"""

from collections.abc import Callable, Generator, Sequence

from kb.answering.drafting.clock import QuestionClock
from kb.answering.prompts.tokens import token_counter
from kb.ports import LanguageModel
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, ReasoningDelta
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, Message


def talk_events(
    messages: Sequence[Message], limits: GenerationOptions, model: Callable[[], LanguageModel | None]
) -> Generator[AnswerEvent, None, None]:
    """Has the model reply.

    Closing the generator stops the generation.

    Args:
        messages: The last one is replied to.
        limits: Of the reply.
        model: Gives the language model, or None after a moment while it loads.

    Yields:
        `Done` last.
    """
    clock = QuestionClock()
    while (language_model := model()) is None:
        yield Heartbeat()
    said = {"reasoning": "", "answer": ""}
    end = GenerationEnd("cancelled", 0, 0, 0)
    stream = language_model.stream(_fitting(messages, language_model, limits), limits)
    try:
        for item in stream:
            if isinstance(item, Delta):
                clock.mark("prompt_ms")
                clock.mark(f"first_{item.phase}_ms")
                said[item.phase] += item.text
                yield AnswerDelta(item.text) if item.phase == "answer" else ReasoningDelta(item.text)
            elif isinstance(item, Heartbeat):
                yield item
            elif isinstance(item, GenerationEnd):
                end = item
    finally:
        stream.close()
    yield Done(
        Answer(
            answer=said["answer"],
            reasoning=said["reasoning"],
            answerable=True,
            model=language_model.info.name,
            finish_reason=end.finish_reason,
            timings=clock.timings(end),
        )
    )


def _fitting(messages: Sequence[Message], model: LanguageModel, limits: GenerationOptions) -> list[Message]:
    """Leaves out the oldest messages that find no room, but neither instructions nor the last message."""
    tokens = token_counter(model)
    thought = limits.reasoning_tokens if model.info.reasons else 0
    room = model.info.context_tokens - limits.answer_tokens - thought
    kept = list(messages)
    while (excess := tokens.prompt_tokens(kept) - room) > 0 and _oldest(kept) is not None:
        while excess > 0 and (oldest := _oldest(kept)) is not None:
            excess -= tokens.count_tokens(kept.pop(oldest).content)
    return kept


def _oldest(messages: Sequence[Message]) -> int | None:
    return next((n for n, message in enumerate(messages[:-1]) if message.role != "system"), None)
