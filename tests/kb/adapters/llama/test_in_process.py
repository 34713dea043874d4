import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from kb.adapters.llama.context import Llama
from kb.adapters.llama.in_process import LlamaModel
from kb.adapters.llama.options import EngineOptions
from kb.errors import ModelError, ModelLoadError, PromptTooLong
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, Look, Looked, Message
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
        self,
        *chains: Sequence[Piece],
        r1: bool = False,
        feed_forward: int = 32,
        remembers: bool = False,
        queue_size: int = 8,
        context_tokens: int = 16_384,
    ) -> LlamaModel:
        path = self._folder / f"tiny-{len(self._built)}.gguf"
        tiny_chat(path, *chains, r1=r1, feed_forward=feed_forward, remembers=remembers)
        options = EngineOptions(context_tokens, threads=1)
        self._built.append(LlamaModel(path, "tiny", options, queue_size=queue_size))
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
        assert next(waiting) == Heartbeat(1)
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
    _, answer, end = reply(model, GenerationOptions(answer_tokens=8000, seconds=0.2))
    assert time.monotonic() - started < 2
    assert end.finish_reason == "length"
    assert 0 < end.answer_tokens < 8000
    assert answer.startswith("word0 word1")


def test_time_limit_leaves_time_for_an_answer_after_endless_thought(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], ["\n\n", "Because", ".", END], r1=True, feed_forward=16_384)
    _, answer, end = reply(model, GenerationOptions(reasoning_tokens=8000, seconds=0.4))
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


def looked(model: LlamaModel, *questions: str, replies: tuple[str, str] = ("Yes", "No")) -> tuple[float, ...]:
    look = Look(tuple((Message("user", question),) for question in questions), replies)
    (found,) = [
        item
        for item in model.stream_after_look(look, QUESTION, GenerationOptions(answer_tokens=1))
        if isinstance(item, Looked)
    ]
    return found.margins


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


def test_reply_after_a_look_is_the_reply_without(models: Models) -> None:
    model = models(["\n", "Hm", "</think>"], ["\n\n", "Because", ".", END], r1=True)
    look = Look((tuple(QUESTION), (Message("user", "Why? Is it said?"),)), ("Yes", "No"))
    items = [
        item for item in model.stream_after_look(look, QUESTION, GenerationOptions()) if not isinstance(item, Heartbeat)
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
    look = Look(tuple((Message("user", LONG_QUESTION[0].content + ending),) for ending in endings), ("Yes", "No"))
    list(model.stream_after_look(look, LONG_QUESTION, GenerationOptions()))
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
    look = Look((tuple(LONG_QUESTION), tuple(LONG_QUESTION)), ("Yes", "No"))
    stream = model.stream_after_look(look, QUESTION, GenerationOptions())
    assert next(stream) == Heartbeat()
    stream.close()
    started = time.monotonic()
    assert reply(model)[1] == "Because"
    assert time.monotonic() - started < 2
    assert sum(evaluated) < model.prompt_tokens(LONG_QUESTION)


def test_look_whose_time_is_up_shows_nothing(models: Models) -> None:
    model = models(["\n", "Because", END], feed_forward=16_384)
    look = Look((tuple(LONG_QUESTION),), ("Yes", "No"))
    items = list(model.stream_after_look(look, QUESTION, GenerationOptions(seconds=0.05)))
    assert {type(item) for item in items} <= {Heartbeat, GenerationEnd}
    assert isinstance(items[-1], GenerationEnd)
    assert items[-1].finish_reason == "length"


def count_evaluated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is evaluated from now on, in tokens."""
    counted: list[int] = []
    evaluate = Llama.evaluate

    def count(self: Llama, tokens: Sequence[int]) -> None:
        counted.append(len(tokens))
        evaluate(self, tokens)

    monkeypatch.setattr(Llama, "evaluate", count)
    return counted


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
        LlamaModel(path, "tiny", EngineOptions(512))


class Script:
    """What a model says, token by token, instead of what it would have said, and which of it was thought.

    Thoughts are made of the letter r, answers of a. Tags come as tokens where they are meant, in their places, doubled
    or not at all, and in pieces of text where they are only quoted.
    """

    QUOTED: ClassVar = [["<th", "ink>"], ["</", "think", ">"], ["<", "think>"], ["</think", ">"], ["</thi"]]

    def __init__(self, seed: int, tokenize: Callable[..., list[int]], end: int) -> None:
        random = Random(seed)
        self.tokens: list[int] = []
        self.answered = 0
        phase = "reasoning"
        for _ in range(random.randint(2, 6)):
            for piece in random.choice(self.QUOTED) if random.random() < 0.4 else []:
                self.tokens += tokenize(piece, control=False)
            for _ in range(random.randint(0, 3)):
                self.answered += phase == "answer"
                self.tokens += tokenize(" rrr" if phase == "reasoning" else " aaa", control=False)
            tag, phase = random.choice([("<think>", "reasoning"), ("</think>", "answer")])
            self.tokens += tokenize(tag, control=True) * random.choice([1, 1, 2])
        if phase == "reasoning":
            # It stops without having closed, and is made to answer.
            self.tokens += [*tokenize(" rrr", control=False), end]
        self.tokens += [*tokenize(" aaa", control=False), end]
        self.answered += 1


@pytest.mark.models
@pytest.mark.timeout(600)
def test_fifty_outputs_with_tags_in_all_the_wrong_places_show_no_character_of_reasoning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripts: dict[int, Script] = {}

    @contextlib.contextmanager
    def scripted(self: Llama, temperature: float, top_p: float, seed: int) -> Iterator[Callable[[], int]]:
        end = self.tokenize(self.vocabulary.eos, control=True)[0]
        scripts[seed] = Script(seed, self.tokenize, end)
        yield iter(scripts[seed].tokens).__next__

    monkeypatch.setattr(Llama, "sampler", scripted)
    model = LlamaModel(tiny_r1(), "tiny-r1", EngineOptions(2048))
    try:
        for seed in range(50):
            reasoning, answer, end = reply(model, GenerationOptions(200, 200, seed=seed))
            assert end.finish_reason == "stop"
            assert "r" not in answer
            assert "think>" not in answer
            assert answer.count("aaa") == scripts[seed].answered
            assert "a" not in reasoning
    finally:
        model.close()


@pytest.mark.models
@pytest.mark.timeout(600)
def test_real_r1_vocabulary_goes_through_both_phases() -> None:
    model = LlamaModel(tiny_r1(), "tiny-r1", EngineOptions(2048))
    try:
        reasoning, answer, end = reply(model, GenerationOptions(reasoning_tokens=12, answer_tokens=12))
    finally:
        model.close()
    assert model.info.reasons
    assert (end.reasoning_tokens, end.answer_tokens, end.finish_reason) == (12, 12, "length")
    assert reasoning
    assert answer
    assert "think>" not in answer
