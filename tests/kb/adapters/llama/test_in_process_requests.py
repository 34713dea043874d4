"""One model and those who ask it: their order, their time, and what becomes of who leaves."""

import functools
import itertools
import queue
import time
from collections.abc import Sequence

import pytest

from kb.adapters.llama.context import Llama
from kb.errors import ModelError
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Heartbeat
from tests.kb.adapters.llama.in_process_harness import ENDLESS, LONG_QUESTION, QUESTION, Models, reply
from tests.tiny_gguf import END


def test_closing_while_the_prompt_is_read_frees_the_model(models: Models) -> None:
    model = models(["\n", "Because", END], feed_forward=16_384)
    stream = model.stream(LONG_QUESTION, GenerationOptions())
    assert next(stream) == Heartbeat()
    stream.close()
    started = time.monotonic()
    assert reply(model)[1] == "Because"
    assert time.monotonic() - started < 2


def test_closing_while_it_waits_frees_a_place_in_the_queue(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096, queue_size=1)
    running = model.stream(QUESTION, GenerationOptions(answer_tokens=8000))
    next(running)
    for _ in range(3):
        waiting = model.stream(QUESTION, GenerationOptions())
        assert next(waiting) == Heartbeat(1)
        waiting.close()
    running.close()


def test_requests_are_answered_in_their_order(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096)
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()

    def deliver(number: int, item: Generated | Exception) -> None:
        if isinstance(item, GenerationEnd):
            ended.put(number)

    for number in range(3):
        model.begin(QUESTION, GenerationOptions(answer_tokens=300), (), functools.partial(deliver, number))
    assert [ended.get(timeout=20) for _ in range(3)] == [0, 1, 2]


def test_who_waits_hears_how_many_come_before(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096)
    running, waiting = (model.stream(QUESTION, GenerationOptions(answer_tokens=8000)) for _ in range(2))
    next(running)
    assert list(itertools.islice(waiting, 3)) == [Heartbeat(1)] * 3
    running.close()
    assert isinstance(next(item for item in waiting if item != Heartbeat(1)), Heartbeat | Delta)
    waiting.close()


def test_time_limit_ends_the_answer_where_it_is(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=16_384)
    started = time.monotonic()
    _, answer, end = reply(model, GenerationOptions(answer_tokens=8000, seconds=0.5))
    assert time.monotonic() - started < 2
    assert end.finish_reason == "length"
    assert 0 < end.answer_tokens < 8000
    assert answer.startswith("word0 word1")


def test_time_limit_leaves_time_for_an_answer_after_endless_thought(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], ["\n\n", "Because", ".", END], r1=True, feed_forward=16_384)
    _, answer, end = reply(model, GenerationOptions(reasoning_tokens=8000, seconds=1.2))
    assert (answer, end.finish_reason) == ("Because.", "stop")


def test_time_limit_holds_while_the_prompt_is_read(models: Models) -> None:
    model = models(["\n", "Because", END], feed_forward=16_384)
    _, answer, end = reply(model, GenerationOptions(seconds=0.05), LONG_QUESTION)
    assert (answer, end.finish_reason, end.answer_tokens) == ("", "length", 0)


def test_closing_the_model_ends_what_runs_and_what_waits(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096)
    running = model.stream(QUESTION, GenerationOptions(answer_tokens=8000))
    waiting = model.stream(QUESTION, GenerationOptions())
    next(running)
    next(waiting)
    model.close()
    for stream in (running, waiting):
        *_, end = stream
        assert isinstance(end, GenerationEnd)
        assert end.finish_reason == "cancelled"


def test_tokens_are_counted_while_another_thread_generates(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096)
    stream = model.stream(QUESTION, GenerationOptions(answer_tokens=8000))
    first = next(stream)
    expected = model.prompt_tokens(LONG_QUESTION)
    assert {model.prompt_tokens(LONG_QUESTION) for _ in range(50)} == {expected}
    # What was generated meanwhile is what would have been generated alone.
    texts = [item.text for item in [first, *itertools.islice(stream, 400)] if isinstance(item, Delta)]
    words = "".join(texts).split()
    assert words == [f"word{number % 200}" for number in range(len(words))]
    stream.close()


def test_failure_reaches_the_caller_and_the_next_question_is_answered(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models(["\n", "Because", END])

    def fail(self: Llama, tokens: Sequence[int]) -> None:
        raise ModelError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(Llama, "evaluate", fail)
        with pytest.raises(ModelError, match="out of memory"):
            reply(model)
    assert reply(model)[1] == "Because"
