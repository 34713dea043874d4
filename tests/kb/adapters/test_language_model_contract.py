"""What every adapter of the ports of a language model must do, and the fake as well."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kb.adapters.llama.in_process import LlamaModel
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.process import LlamaProcess
from kb.errors import ModelBusy, ModelError, PromptTooLong
from kb.ports import LanguageModel, Looker, Restartable, TokenCounter
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Heartbeat, Look, Looked, Message
from tests.fakes import FakeLanguageModel
from tests.remote_doubles import VLLM, DashScope, DeepSeek, Double, LlamaServer, Ollama
from tests.remote_servers import engine
from tests.tiny_gguf import END, tiny_chat

ANSWER = ["It", " is", " on", " page", " nine", "."]
REASONING = ["Let", " us", " see", "."]
ENDLESS = [f" word{number}" for number in range(200)]
QUESTION = [Message("system", "Be short."), Message("user", "Where is it?")]
QUEUE_SIZE = 2


REMOTE: dict[str, type[Double]] = {
    "vLLM": VLLM,
    "llama-server": LlamaServer,
    "Ollama": Ollama,
    "DeepSeek": DeepSeek,
    "DashScope": DashScope,
}

Build = Callable[[list[str], list[str]], LanguageModel]


class Processes:
    """Child processes with a model each; a test takes one that another test has left, because starting takes long."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, LlamaProcess] = {}

    def __call__(self, answer: list[str], reasoning: list[str]) -> LlamaProcess:
        name = "".join(answer + reasoning)
        running = self._running.get(name)
        if running is None or is_closed(running):
            path = write(self._folder / f"{len(self._running)}.gguf", answer, reasoning)
            options = EngineOptions(4096, threads=1)
            running = self._running[name] = LlamaProcess(path, "tiny", options, queue_size=QUEUE_SIZE)
        return running

    def close(self) -> None:
        for model in self._running.values():
            model.close()


def is_closed(model: LlamaProcess) -> bool:
    try:
        return not model.ready(0)
    except ModelError:
        return True


def write(path: Path, answer: list[str], reasoning: list[str]) -> Path:
    ending = [answer[0]] if answer == ENDLESS else [END]
    thinks = ["\n", *reasoning, "</think>"] if reasoning else ["\n", answer[0]]
    # The endless one is also slow enough to be still at it when the next question comes.
    width = 4096 if answer == ENDLESS else 32
    return tiny_chat(path, thinks, ["\n\n", *answer, *ending], r1=bool(reasoning), feed_forward=width)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    processes = Processes(tmp_path_factory.mktemp("models"))
    yield processes
    processes.close()


@pytest.fixture(params=["fake", "in this process", "in its own process", *REMOTE])
def build(
    request: pytest.FixtureRequest, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Build]:
    with ExitStack() as models:

        def build_fake(answer: list[str], reasoning: list[str]) -> LanguageModel:
            text = "".join(answer) * (100 if answer == ENDLESS else 1)
            return FakeLanguageModel(text, "".join(reasoning), context_tokens=4096, queue_size=QUEUE_SIZE)

        def build_here(answer: list[str], reasoning: list[str]) -> LanguageModel:
            path = write(tmp_path / "tiny.gguf", answer, reasoning)
            return LlamaModel(path, "tiny", EngineOptions(4096, threads=1), queue_size=QUEUE_SIZE)

        def build_remote(answer: list[str], reasoning: list[str]) -> LanguageModel:
            is_endless = answer == ENDLESS
            double = REMOTE[request.param](answer * (20 if is_endless else 1), reasoning)
            double.model = "qwen3-8b" if reasoning else "some-model"
            double.pause = 0.005 if is_endless else 0.0
            return models.enter_context(engine(double, monkeypatch, context_tokens=4096, queue_size=QUEUE_SIZE))

        def build_any(answer: list[str], reasoning: list[str]) -> LanguageModel:
            if request.param == "in its own process":
                return processes(answer, reasoning)
            if request.param in REMOTE:
                return build_remote(answer, reasoning)
            model = (build_fake if request.param == "fake" else build_here)(answer, reasoning)
            models.callback(model.close)
            return model

        yield build_any


def counter(model: LanguageModel) -> TokenCounter:
    if not isinstance(model, TokenCounter):
        pytest.skip("it does not count")
    return model


def looker(model: LanguageModel) -> Looker:
    if not isinstance(model, Looker):
        pytest.skip("it cannot be looked into")
    return model


def reply(
    model: LanguageModel, options: GenerationOptions, messages: list[Message] = QUESTION
) -> tuple[str, str, GenerationEnd]:
    return texts_and_end(model.stream(messages, options))


def texts_and_end(items: Iterable[Generated]) -> tuple[str, str, GenerationEnd]:
    *deltas, end = items
    assert isinstance(end, GenerationEnd)
    texts = {"reasoning": "", "answer": ""}
    for delta in deltas:
        if not isinstance(delta, Heartbeat):
            assert isinstance(delta, Delta)
            texts[delta.phase] += delta.text
    return texts["reasoning"], texts["answer"], end


def test_reply_is_the_answer_and_one_end_that_counts_it(build: Build) -> None:
    model = build(ANSWER, [])
    reasoning, answer, end = reply(model, GenerationOptions())
    assert (reasoning, answer) == ("", "It is on page nine.")
    assert (end.finish_reason, end.reasoning_tokens) == ("stop", 0)
    assert end.prompt_tokens == (model.prompt_tokens(QUESTION) if isinstance(model, TokenCounter) else 18)
    assert end.answer_tokens >= 5


def test_reasoning_comes_apart_from_the_answer(build: Build) -> None:
    model = build(ANSWER, REASONING)
    assert model.info.reasons
    reasoning, answer, end = reply(model, GenerationOptions())
    assert (reasoning.strip(), answer) == ("Let us see.", "It is on page nine.")
    assert end.reasoning_tokens >= 3


def test_reasoning_that_uses_up_its_budget_is_ended_and_the_answer_comes(build: Build) -> None:
    reasoning, answer, end = reply(build(ANSWER, REASONING), GenerationOptions(reasoning_tokens=2))
    assert (reasoning.strip(), answer) == ("Let us", "It is on page nine.")
    assert (end.finish_reason, end.reasoning_tokens) == ("stop", 2)


def test_without_a_reasoning_budget_there_is_no_reasoning(build: Build) -> None:
    reasoning, answer, end = reply(build(ANSWER, REASONING), GenerationOptions(reasoning_tokens=0))
    assert (reasoning, answer, end.reasoning_tokens) == ("", "It is on page nine.", 0)


def test_answer_ends_at_its_budget(build: Build) -> None:
    _, answer, end = reply(build(ANSWER, []), GenerationOptions(answer_tokens=3))
    assert (answer, end.finish_reason, end.answer_tokens) == ("It is on", "length", 3)


def test_same_question_gets_the_same_reply_again(build: Build) -> None:
    model = build(ANSWER, REASONING)
    assert reply(model, GenerationOptions()) == reply(model, GenerationOptions())


@pytest.mark.parametrize("reasoning", [[], REASONING], ids=["plain", "reasoning"])
def test_prompt_that_just_fits_is_answered_and_one_token_more_is_refused(build: Build, reasoning: list[str]) -> None:
    model = build(ANSWER, reasoning)
    thinking = 100 if reasoning else 0
    room = model.info.context_tokens - counter(model).prompt_tokens(QUESTION) - thinking
    reply(model, GenerationOptions(reasoning_tokens=thinking, answer_tokens=room))
    with pytest.raises(PromptTooLong, match="4096") as caught:
        reply(model, GenerationOptions(reasoning_tokens=thinking, answer_tokens=room + 1))
    assert caught.value.hint


@pytest.mark.parametrize("prompts", [1, 3])
@pytest.mark.parametrize("reasoning", [[], REASONING], ids=["plain", "reasoning"])
def test_look_shows_a_margin_for_each_prompt_before_anything_is_said(
    build: Build, reasoning: list[str], prompts: int
) -> None:
    model = build(ANSWER, reasoning)
    looks = [Look((*QUESTION[:1], Message("user", f"Is it number {n}?")), "Yes", "No") for n in range(prompts)]
    items = [
        item
        for item in looker(model).stream_after_looks(looks, QUESTION, GenerationOptions())
        if not isinstance(item, Heartbeat)
    ]
    assert [type(item) for item in items[:2]] == [Looked, Delta]
    assert [item for item in items[1:] if isinstance(item, Looked)] == []
    assert isinstance(items[0], Looked)
    assert [type(margin) for margin in items[0].margins] == [float] * prompts
    assert texts_and_end(items[1:]) == reply(model, GenerationOptions())


def test_model_that_does_not_reason_ignores_the_reasoning_budget(build: Build) -> None:
    _, answer, _ = reply(build(ANSWER, []), GenerationOptions(reasoning_tokens=100_000))
    assert answer == "It is on page nine."


def test_tokens_grow_with_the_text(build: Build) -> None:
    count = counter(build(ANSWER, []))
    assert count.count_tokens("") == 0
    assert 0 < count.count_tokens("word") < count.count_tokens("word, another word")
    assert count.prompt_tokens(QUESTION) > sum(count.count_tokens(message.content) for message in QUESTION)


def test_full_queue_refuses_and_a_closed_stream_makes_room(build: Build) -> None:
    model = build(ENDLESS, [])
    options = GenerationOptions(answer_tokens=3000)
    streams = [model.stream(QUESTION, options) for _ in range(1 + QUEUE_SIZE)]
    for stream in streams:
        next(stream)
    with pytest.raises(ModelBusy) as caught:
        next(model.stream(QUESTION, options))
    assert caught.value.retry_after_seconds >= 1
    streams.pop().close()
    another = model.stream(QUESTION, options)
    next(another)
    for stream in [*streams, another]:
        stream.close()


def test_closing_a_stream_leaves_the_model_free_for_the_next_question(build: Build) -> None:
    model = build(ENDLESS, [])
    stream = model.stream(QUESTION, GenerationOptions(answer_tokens=3000))
    list(itertools.islice(stream, 5))
    stream.close()
    started = time.monotonic()
    _, answer, _ = reply(model, GenerationOptions(answer_tokens=2))
    assert answer.split() == ["word0", "word1"]
    assert time.monotonic() - started < 2


def test_stream_that_was_never_begun_costs_nothing(build: Build) -> None:
    model = build(ANSWER, [])
    for _ in range(2 + QUEUE_SIZE):
        model.stream(QUESTION, GenerationOptions()).close()
    assert reply(model, GenerationOptions())[1] == "It is on page nine."


def test_open_model_is_ready(build: Build) -> None:
    model = build(ANSWER, [])
    assert not isinstance(model, Restartable) or model.ready(5)


def test_closed_model_says_so(build: Build) -> None:
    model = build(ANSWER, [])
    model.close()
    model.close()
    if isinstance(model, Restartable):
        with pytest.raises(ModelError, match="closed"):
            model.ready(0)
    if isinstance(model, TokenCounter):
        with pytest.raises(ModelError, match="closed"):
            model.count_tokens("word")
    with pytest.raises(ModelError, match="closed"):
        reply(model, GenerationOptions())
