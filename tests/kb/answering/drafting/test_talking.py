import pytest

from kb.answering.drafting.talking import talk_events
from kb.errors import PromptTooLong
from kb.values.answers import AnswerDelta, Done, ReasoningDelta
from kb.values.chat import GenerationOptions, Heartbeat, Message
from tests.fakes import FakeEngine, FakeLanguageModel

LIMITS = GenerationOptions(reasoning_tokens=4, answer_tokens=10)


def test_reply_comes_as_events_and_ends_with_the_whole() -> None:
    model = FakeLanguageModel("Four of them.", "Let me count.")
    *events, done = talk_events([Message("user", "How many?")], LIMITS, lambda: model)
    assert isinstance(done, Done)
    assert "".join(event.text for event in events if isinstance(event, AnswerDelta)) == done.answer.answer
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == done.answer.reasoning
    assert (done.answer.answer, done.answer.reasoning) == ("Four of them.", "Let me count.")
    assert (done.answer.model, done.answer.finish_reason, done.answer.answerable) == ("fake", "stop", True)
    assert (done.answer.citations, done.answer.passages) == ((), ())
    assert done.answer.timings.answer_tokens == 3


def test_waits_for_a_model_that_loads() -> None:
    coming = iter([None, None, FakeLanguageModel("Yes.")])
    events = list(talk_events([Message("user", "Well?")], LIMITS, lambda: next(coming)))
    assert [type(event) for event in events[:2]] == [Heartbeat, Heartbeat]
    assert isinstance(events[-1], Done)


@pytest.mark.parametrize("kind", [FakeEngine, FakeLanguageModel])
def test_oldest_messages_give_way_but_neither_instructions_nor_the_last(kind: type[FakeEngine]) -> None:
    model = kind("Yes.", context_tokens=200)
    messages = [Message("system", "Be brief."), *(Message("user", f"word {n} " * 10) for n in range(9))]
    list(talk_events([*messages, Message("user", "Well?")], LIMITS, lambda: model))
    (asked,) = model.asked
    assert (asked[0], asked[-1]) == (messages[0], Message("user", "Well?"))
    assert list(asked[1:-1]) == messages[len(messages) - len(asked) + 2 :]
    assert 2 < len(asked) < len(messages)


def test_last_message_that_does_not_fit_is_refused() -> None:
    model = FakeLanguageModel(context_tokens=50)
    with pytest.raises(PromptTooLong):
        list(talk_events([Message("user", "word " * 100)], LIMITS, lambda: model))


def test_closing_stops_the_model() -> None:
    model = FakeLanguageModel("One two three.")
    events = talk_events([Message("user", "Well?")], LIMITS, lambda: model)
    assert isinstance(next(events), Heartbeat)
    next(events)
    events.close()
    assert model.finished == ["cancelled"]
