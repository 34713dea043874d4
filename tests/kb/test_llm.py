import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kb.errors import ModelError, ModelLoadError
from kb.generation import Delta, GenerationEnd, GenerationOptions, Message
from kb.llama import Llama
from kb.llm import LlamaModel
from kb.types import Heartbeat
from tests.tiny_gguf import END, Piece, tiny_chat, tiny_r1

QUESTION = [Message("user", "Why?")]
LONG_QUESTION = [Message("user", "Why? " * 1200)]
ENDLESS = [f" word{number}" for number in range(200)]


class Models:
    """Builds tiny models and closes them again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: list[LlamaModel] = []

    def __call__(
        self, *chains: Sequence[Piece], r1: bool = False, feed_forward: int = 32, queue_size: int = 8
    ) -> LlamaModel:
        path = self._folder / f"tiny-{len(self._built)}.gguf"
        tiny_chat(path, *chains, r1=r1, feed_forward=feed_forward)
        self._built.append(LlamaModel(path, "tiny", context_tokens=16_384, threads=1, queue_size=queue_size))
        return self._built[-1]

    def close(self) -> None:
        for model in self._built:
            model.close()


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    built = Models(tmp_path)
    yield built
    built.close()


def reply(
    model: LlamaModel, options: GenerationOptions | None = None, messages: list[Message] = QUESTION
) -> tuple[str, str, GenerationEnd]:
    *deltas, end = model.stream(messages, options or GenerationOptions())
    assert isinstance(end, GenerationEnd)
    found = [delta for delta in deltas if isinstance(delta, Delta)]
    return (
        "".join(delta.text for delta in found if delta.phase == "reasoning"),
        "".join(delta.text for delta in found if delta.phase == "answer"),
        end,
    )


def test_characters_that_are_spread_over_tokens_come_out_whole(models: Models) -> None:
    sky = "天".encode()
    model = models(["\n", sky[:1], sky[1:2], sky[2:], "!", END])
    deltas = [item.text for item in model.stream(QUESTION, GenerationOptions()) if isinstance(item, Delta)]
    assert [text for text in deltas if text] == ["天", "!"]


def test_character_that_the_budget_cuts_off_is_left_out(models: Models) -> None:
    sky = "天".encode()
    model = models(["\n", "Sky: ", sky[:1], sky[1:2], sky[2:], END])
    _, answer, end = reply(model, GenerationOptions(answer_tokens=3))
    assert (answer, end.finish_reason) == ("Sky: ", "length")


def test_broken_character_is_left_out(models: Models) -> None:
    model = models(["\n", "Sky: ", "天".encode()[:2], "blue", END])
    assert reply(model)[1] == "Sky: blue"


def test_character_that_is_cut_off_in_the_reasoning_is_not_finished_by_the_answer(models: Models) -> None:
    sky = "天".encode()
    model = models(["\n", sky[:1], sky[1:2], END], ["\n\n", sky[2:], "Because", END], r1=True)
    assert reply(model, GenerationOptions(reasoning_tokens=2))[:2] == ("", "Because")


def test_endless_reasoning_is_closed_by_force(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], ["\n\n", "Because", ".", END], r1=True)
    reasoning, answer, end = reply(model, GenerationOptions(reasoning_tokens=50))
    assert len(reasoning.split()) == 50
    assert (answer, end.finish_reason, end.reasoning_tokens) == ("Because.", "stop", 50)


def test_reasoning_that_goes_in_circles_is_closed_before_its_budget(models: Models) -> None:
    model = models(["\n", " on", " and", " on"], ["\n\n", "Because", ".", END], r1=True)
    _, answer, end = reply(model, GenerationOptions(reasoning_tokens=1000))
    assert answer == "Because."
    assert end.reasoning_tokens < 200


def test_model_that_stops_while_it_thinks_answers_all_the_same(models: Models) -> None:
    model = models(["\n", "Hm", END], ["\n\n", "Because", ".", END], r1=True)
    assert reply(model)[:2] == ("Hm", "Because.")


def test_model_that_thinks_again_in_its_answer_is_kept_apart(models: Models) -> None:
    model = models(["\n", "Hm", "</think>", "Be", "<think>", "Oh", END], ["\n\n", "cause", END], r1=True)
    reasoning, answer, _ = reply(model)
    assert (reasoning, answer) == ("Hm Oh", "Be cause")


def test_answer_that_goes_in_circles_ends(models: Models) -> None:
    _, answer, end = reply(models(["\n", " on", " and", " on"]), GenerationOptions(answer_tokens=4000))
    assert end.finish_reason == "length"
    assert end.answer_tokens < 200
    assert answer.startswith("on and on")


def test_model_that_begins_to_think_unasked_is_made_to_answer(models: Models) -> None:
    model = models(["\n", "<th", "ink>", "Hm", END], ["\n\n", "Because", END])
    assert reply(model)[:2] == ("", "Because")


def test_prompt_seen_before_is_not_read_again(models: Models) -> None:
    model = models(["\n", "Because", END], feed_forward=4096)
    started = time.monotonic()
    first = reply(model, messages=LONG_QUESTION)
    between = time.monotonic()
    second = reply(model, messages=LONG_QUESTION)
    assert second == first
    assert time.monotonic() - between < (between - started) / 3


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
        assert next(waiting) == Heartbeat()
        waiting.close()
    running.close()


def test_requests_are_answered_in_their_order(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096)
    streams = [model.stream(QUESTION, GenerationOptions(answer_tokens=300)) for _ in range(3)]
    for stream in streams:
        next(stream)
    order: list[int] = []

    def drain(number: int) -> None:
        list(streams[number])
        order.append(number)

    threads = [threading.Thread(target=drain, args=(number,)) for number in (2, 1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2]


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


def test_what_is_known_about_the_model_comes_from_its_file(models: Models) -> None:
    info = models(["\n", "Because", END], r1=True).info
    assert (info.name, info.reasons, info.context_tokens) == ("tiny", True, 16_384)
    assert info.description.startswith("llama")


def test_model_with_a_broken_template_does_not_load(tmp_path: Path) -> None:
    path = tiny_chat(tmp_path / "tiny.gguf", template="{% for %}")
    with pytest.raises(ModelLoadError, match="chat template"):
        LlamaModel(path, "tiny", context_tokens=512)


@pytest.mark.models
@pytest.mark.timeout(600)
def test_real_r1_vocabulary_goes_through_both_phases() -> None:
    model = LlamaModel(tiny_r1(), "tiny-r1", context_tokens=2048)
    try:
        reasoning, answer, end = reply(model, GenerationOptions(reasoning_tokens=12, answer_tokens=12))
    finally:
        model.close()
    assert model.info.reasons
    assert (end.reasoning_tokens, end.answer_tokens, end.finish_reason) == (12, 12, "length")
    assert reasoning
    assert answer
    assert "think>" not in answer
