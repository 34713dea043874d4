"""What only engines on servers have: each server's own ways, as its double enforces them."""

import itertools
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from kb.adapters.openai_api import connection
from kb.errors import ModelBusy, ModelError, ModelMissing, ModelUnreachable, PromptTooLong
from kb.ports import LanguageModel, Looker, TokenCounter
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, Look, Looked, Message
from tests.remote_doubles import (
    KEY,
    VLLM,
    DashScope,
    DeepSeek,
    Double,
    LlamaServer,
    LMStudio,
    Ollama,
    OpenAI,
    Refusal,
    openai_error,
)
from tests.remote_servers import engine

ALL: list[type[Double]] = [VLLM, LlamaServer, Ollama, LMStudio, DeepSeek, DashScope, OpenAI]
every_server = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
QUESTION = [Message("system", "Be short."), Message("user", "Where is it?")]
ANSWER = "It is on page nine."
ODD = 'He said: "a\u2028b\x85c" — 中文 {"error": 1}\n\n\ndata: [DONE]'


def told(model: LanguageModel, options: GenerationOptions | None = None) -> tuple[str, str, GenerationEnd]:
    items = [item for item in model.stream(QUESTION, options or GenerationOptions()) if not isinstance(item, Heartbeat)]
    *deltas, end = items
    assert isinstance(end, GenerationEnd)
    texts = {"reasoning": "", "answer": ""}
    for delta in deltas:
        assert isinstance(delta, Delta)
        texts[delta.phase] += delta.text
    return texts["reasoning"], texts["answer"], end


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PAUSES_SECONDS", (0.01, 0.01, 0.01))


@every_server
def test_each_server_is_recognised_and_answers(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    double = kind()
    with engine(double, monkeypatch) as model:
        reasoning, answer, end = told(model)
        assert (reasoning, answer, end.finish_reason) == ("", ANSWER, "stop")
        assert end.answer_tokens == 6
        assert model.info.host in model.info.name
        names = {VLLM: "vLLM", LlamaServer: "llama-server", LMStudio: "LM Studio"}
        assert names.get(kind, kind.__name__) in model.info.description
        counts, looks = isinstance(model, TokenCounter), isinstance(model, Looker)
    assert counts == (kind in (VLLM, LlamaServer))
    assert looks == (kind in (VLLM, LlamaServer, DeepSeek, OpenAI))


@every_server
def test_odd_text_arrives_as_it_was_sent(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    with engine(kind([*ODD]), monkeypatch) as model:
        assert told(model)[1] == ODD


@every_server
def test_closing_the_stream_closes_the_connection(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    double = kind([" word"] * 500, pause=0.05)
    with engine(double, monkeypatch) as model:
        stream = model.stream(QUESTION, GenerationOptions())
        next(stream)
        while not double.running:
            time.sleep(0.01)
        closed = time.monotonic()
        stream.close()
        while double.running and time.monotonic() < closed + 5:
            time.sleep(0.01)
        assert time.monotonic() - closed < 2


@every_server
def test_silent_server_is_heard_of_each_second_and_can_be_left(
    kind: type[Double], monkeypatch: pytest.MonkeyPatch
) -> None:
    double = kind(silence=20)
    with engine(double, monkeypatch) as model:
        stream = model.stream(QUESTION, GenerationOptions())
        began = time.monotonic()
        assert all(isinstance(item, Heartbeat) for item in itertools.islice(stream, 4))
        assert time.monotonic() - began < 4
        stream.close()
        while double.running and time.monotonic() < began + 8:
            time.sleep(0.01)
        assert not double.running


@every_server
@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_go_well_later_is_tried_again(
    kind: type[Double], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = kind(failures=[Refusal(status, {"error": {"message": "busy"}}) for _ in range(2)])
    with engine(double, monkeypatch) as model:
        assert told(model)[1] == ANSWER
        assert len(double.chats) == 3


def test_retry_after_is_waited_for_and_a_long_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    double = VLLM(failures=[Refusal(429, {}, {"Retry-After": "1"})])
    with engine(double, monkeypatch) as model:
        began = time.monotonic()
        assert told(model)[1] == ANSWER
        assert time.monotonic() - began >= 1
        double.failures = [Refusal(429, {}, {"Retry-After": "90"})]
        with pytest.raises(ModelBusy) as caught:
            told(model)
        assert caught.value.retry_after_seconds == 90


@every_server
def test_after_the_first_byte_nothing_is_tried_again(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    double = kind(break_after=3)
    with engine(double, monkeypatch) as model:
        with pytest.raises(ModelUnreachable, match="broke off"):
            told(model)
        double.break_after, double.error_after = -1, 3
        with pytest.raises(ModelError, match=r"broke off its reply.*unexpectedly"):
            told(model)
        assert len(double.chats) == 2
        double.error_after = -1
        assert told(model)[1] == ANSWER


@every_server
def test_prompt_that_does_not_fit_is_called_so(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    double = kind()
    with engine(double, monkeypatch, context_tokens=512) as model:
        double.window = 512
        with pytest.raises(PromptTooLong) as caught:
            list(model.stream([Message("user", "word " * 600)], GenerationOptions(answer_tokens=16)))
        assert caught.value.hint
        assert told(model, GenerationOptions(answer_tokens=16))[1] == ANSWER


def test_ollama_is_given_its_window_and_told_to_cut_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Ollama()
    with engine(double, monkeypatch, context_tokens=6000) as model:
        told(model)
        assert model.info.context_tokens == 6000
    assert double.chats[0]["options"]["num_ctx"] == 6000
    assert (double.chats[0]["truncate"], "think" in double.chats[0]) == (False, False)


def test_ollama_behind_the_openai_protocol_is_spoken_to_in_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Ollama()
    monkeypatch.setattr("tests.remote_servers.name_of", lambda double, _: f"openai:some-model@{double.url}/v1")
    with engine(double, monkeypatch) as model:
        assert told(model)[1] == ANSWER
    assert {path for _, path, _ in double.requests} == {"/v1/models", "/api/show", "/api/chat"}


@pytest.mark.parametrize("kind", [VLLM, Ollama, LMStudio])
def test_model_that_is_not_there_is_named_with_those_that_are(
    kind: type[Double], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.remote_servers.remote_model", _other_model)
    with pytest.raises(ModelMissing, match=r"no model 'another'.*some-model"), engine(kind(), monkeypatch):
        pass


def _other_model(name: str) -> object:
    from kb.models.remote import remote_model

    return remote_model(name.replace("some-model", "another"))


@pytest.mark.parametrize("kind", [DeepSeek, DashScope, OpenAI])
def test_wrong_key_is_told_and_never_shown(
    kind: type[Double], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    double = kind()
    with engine(double, monkeypatch, key="sk-wrong-0123456789") as model, pytest.raises(ModelError) as caught:
        told(model)
    assert "KB_API_KEY" in caught.value.hint
    assert "sk-wrong" not in f"{caught.value.message} {caught.value.hint} {caplog.text} {model.info}"
    with engine(double, monkeypatch, key=KEY) as model:
        told(model)
    assert KEY not in f"{caplog.text} {model.info}"
    assert double.headers[-1]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("kind", [Ollama, DeepSeek, DashScope, VLLM, LlamaServer])
def test_reasoning_is_switched_and_budgeted(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    double = kind(reasoning=[" hm"] * 50, model="qwen3-8b")
    with engine(double, monkeypatch) as model:
        assert told(model, GenerationOptions(reasoning_tokens=0)) == ("", ANSWER, GenerationEnd("stop", 18, 0, 6)) or (
            kind is LlamaServer
        )
        reasoning, answer, end = told(model, GenerationOptions(reasoning_tokens=5))
        assert (reasoning.split(), answer, end.reasoning_tokens) == (["hm"] * 5, ANSWER, 5)


@pytest.mark.parametrize("kind", [LMStudio])
def test_model_that_cannot_be_kept_from_thinking_has_room_for_it(
    kind: type[Double], monkeypatch: pytest.MonkeyPatch
) -> None:
    double = kind(reasoning=[" hm"] * 50)
    with engine(double, monkeypatch) as model:
        assert told(model, GenerationOptions(reasoning_tokens=0, answer_tokens=20))[:2] == ("", ANSWER)
        assert [chat["max_tokens"] > 50 for chat in double.chats] == [False, True]
        assert model.info.reasons
        assert told(model, GenerationOptions(reasoning_tokens=10, answer_tokens=20))[1] == ANSWER
        assert len(double.chats) == 3


def test_field_that_a_server_does_not_take_is_left_out_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = openai_error(400, "thinking_token_budget is set but reasoning_config is not configured")
    double = VLLM(model="qwen3-8b", reasoning=[" hm"], failures=[refusal])
    with engine(double, monkeypatch) as model:
        assert told(model)[1] == ANSWER
        told(model)
    assert ["thinking_token_budget" in chat for chat in double.chats] == [True, False, False]


def test_reasoning_is_never_sent_back(monkeypatch: pytest.MonkeyPatch) -> None:
    double = VLLM(reasoning=[" secret"], model="qwen3-8b")
    with engine(double, monkeypatch) as model:
        _, answer, _ = told(model)
        list(model.stream([*QUESTION, Message("assistant", answer), Message("user", "Why?")], GenerationOptions()))
    assert "secret" not in str(double.chats[-1])


@pytest.mark.parametrize("kind", [VLLM, LlamaServer, DeepSeek, OpenAI])
def test_look_is_the_logarithm_of_a_ratio(kind: type[Double], monkeypatch: pytest.MonkeyPatch) -> None:
    double = kind(logprobs={"Yes": -0.2, "No": -2.0, "Maybe": -5.0})
    looks = [Look(tuple(QUESTION), "Yes", "No"), Look(tuple(QUESTION), "No", "Yes")]
    with engine(double, monkeypatch) as model:
        assert isinstance(model, Looker)
        items = [
            item for item in model.stream_after_looks(looks, (), GenerationOptions()) if not isinstance(item, Heartbeat)
        ]
        looked, end = items
        assert isinstance(looked, Looked)
        assert looked.margins == pytest.approx((1.8, -1.8))
        assert end == GenerationEnd("stop", 0, 0, 0)
        double.logprobs = {"It": -0.1}
        assert not any(
            isinstance(item, Looked) for item in model.stream_after_looks(looks, QUESTION, GenerationOptions())
        )


def test_time_that_is_up_ends_the_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    double = OpenAI([" word"] * 500, pause=0.05)
    with engine(double, monkeypatch) as model:
        _, answer, end = told(model, GenerationOptions(answer_tokens=400, seconds=0.5))
    assert end.finish_reason == "length"
    assert 0 < len(answer.split()) < 20


def test_closing_the_model_ends_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    double = VLLM([" word"] * 500, pause=0.02)
    with engine(double, monkeypatch) as model:
        stream = model.stream(QUESTION, GenerationOptions())
        next(stream)
        threading.Timer(0.2, model.close).start()
        assert _last(stream) == GenerationEnd("cancelled", 0, 0, 0)


def _last(items: Iterator[object]) -> object:
    *_, last = items
    return last
