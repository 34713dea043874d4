"""What is read from a model before it answers."""

import time

import pytest

from kb.adapters.llama.in_process import LlamaModel
from kb.errors import PromptTooLong
from kb.values.chat import GenerationEnd, GenerationOptions, Heartbeat, Look, Looked, Message
from tests.kb.adapters.llama.in_process_harness import LONG_QUESTION, QUESTION, Models, count_evaluated, reply
from tests.tiny_gguf import END


def looked(model: LlamaModel, *questions: str, replies: tuple[str, str] = ("Yes", "No")) -> tuple[float, ...]:
    return shown(model, *(Look((Message("user", question),), *replies) for question in questions))


def shown(model: LlamaModel, *looks: Look) -> tuple[float, ...]:
    return show(model, *looks).margins


def show(model: LlamaModel, *looks: Look) -> Looked:
    items = list(model.stream_after_looks(looks, (), GenerationOptions(answer_tokens=1)))
    (found,) = [item for item in items if isinstance(item, Looked)]
    assert items[-1] == GenerationEnd("stop", 0, 0, 0), "nothing is generated"
    return found


def test_look_tells_how_much_likelier_one_word_is_than_the_other(models: Models) -> None:
    model = models(["\n", "Y", END])
    (margin,) = looked(model, "Is it?")
    assert margin > 1.0
    assert looked(model, "Is it?", replies=("No", "Yes")) == (-margin,)


def test_margins_of_several_prompts_are_those_of_each_alone(models: Models) -> None:
    chains = [["\n", "Y", END], ["s", "N"]]
    questions = ["Is the dome open?", "Is the dome open on Monday?", "Was it?"]
    alone = [margin for question in questions for margin in looked(models(*chains, remembers=True), question)]
    assert len({round(margin, 1) for margin in alone}) == len(questions), "or nothing is shown"
    model = models(*chains, remembers=True)
    assert looked(model, *questions) == pytest.approx(alone, abs=0.01)
    assert looked(model, *reversed(questions)) == pytest.approx(alone[::-1], abs=0.01)


def test_state_is_that_of_the_end_of_the_question_whatever_came_before(models: Models) -> None:
    model = models(["\n", "Y", END], ["s", "N"], remembers=True)
    looks = [Look((Message("user", text),), "Yes", "No") for text in ("Is it?", "Was it so for long?", "Is it?")]
    first, second, third = show(model, *looks).states
    (alone,) = show(models(["\n", "Y", END], ["s", "N"], remembers=True), looks[1]).states
    assert len(first) > 1
    assert first == pytest.approx(third, abs=0.01)
    assert second == pytest.approx(alone, abs=0.01)
    assert first != pytest.approx(second, abs=0.1)


def test_reply_after_a_look_is_the_reply_without(models: Models) -> None:
    model = models(["\n", "Hm", "</think>"], ["\n\n", "Because", ".", END], r1=True)
    looks = [Look(asked, "Yes", "No") for asked in (tuple(QUESTION), (Message("user", "Why? Is it said?"),))]
    items = [
        item
        for item in model.stream_after_looks(looks, QUESTION, GenerationOptions())
        if not isinstance(item, Heartbeat)
    ]
    assert isinstance(items[0], Looked)
    assert items[1:] == [
        item for item in model.stream(QUESTION, GenerationOptions()) if not isinstance(item, Heartbeat)
    ]


def test_what_a_look_and_the_prompt_have_in_common_is_evaluated_once(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models(["\n", "Because", END])
    evaluated = count_evaluated(monkeypatch)
    endings = [" Is it said?", " Is it written?"]
    looks = [Look((Message("user", LONG_QUESTION[0].content + ending),), "Yes", "No") for ending in endings]
    list(model.stream_after_looks(looks, LONG_QUESTION, GenerationOptions()))
    alone = model.prompt_tokens(LONG_QUESTION)
    assert alone < sum(evaluated) < alone + 100


def test_look_may_fill_the_context_and_no_more(models: Models) -> None:
    model = models(["\n", "Because", END], context_tokens=256)
    longest = "w" * (256 - model.prompt_tokens([Message("user", "")]))
    assert len(looked(model, "Why?", longest)) == 2
    with pytest.raises(PromptTooLong, match="256"):
        looked(model, "Why?", longest + "w")


def test_closing_during_a_look_frees_the_model(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models(["\n", "Because", END], feed_forward=16_384)
    evaluated = count_evaluated(monkeypatch)
    stream = model.stream_after_looks([Look(tuple(LONG_QUESTION), "Yes", "No")] * 2, QUESTION, GenerationOptions())
    assert next(stream) == Heartbeat()
    stream.close()
    started = time.monotonic()
    assert reply(model)[1] == "Because"
    assert time.monotonic() - started < 2
    assert sum(evaluated) < model.prompt_tokens(LONG_QUESTION)


def test_look_whose_time_is_up_shows_nothing(models: Models) -> None:
    model = models(["\n", "Because", END], feed_forward=16_384)
    looks = [Look(tuple(LONG_QUESTION), "Yes", "No")]
    items = list(model.stream_after_looks(looks, QUESTION, GenerationOptions(seconds=0.05)))
    assert {type(item) for item in items} <= {Heartbeat, GenerationEnd}
    assert isinstance(items[-1], GenerationEnd)
    assert items[-1].finish_reason == "length"
