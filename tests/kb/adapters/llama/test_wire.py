from pathlib import Path

import pytest

from kb import errors
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.wire import (
    CountTokens,
    FromChild,
    Generate,
    LogLine,
    ModelSpec,
    PromptTokens,
    ReadAhead,
    ToChild,
    Untuned,
    Withdraw,
    decode_reply,
    decode_request,
    decode_spec,
    encode_reply,
    encode_request,
    encode_spec,
)
from kb.errors import KBError, ModelBusy, ModelError
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, LanguageModelInfo, Look, Looked, Message

ODD = "天\n\u2028 \ud83d \x00 🐨"
MESSAGES = (Message("system", "Be short."), Message("user", ODD))
ALL_ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KBError)]


@pytest.mark.parametrize(
    "request_",
    [
        CountTokens(ODD),
        PromptTokens(MESSAGES),
        Generate(MESSAGES, GenerationOptions(1, 2, 3, 4.5), request_id="id-1"),
        Generate(MESSAGES, GenerationOptions(), (Look(MESSAGES, "有", "没有"), Look(MESSAGES[1:], "Yes", ODD))),
        ReadAhead((MESSAGES, MESSAGES[1:])),
        Withdraw(),
    ],
    ids=lambda request: type(request).__name__,
)
def test_request_arrives_as_it_was_sent(request_: ToChild) -> None:
    line = encode_request(7, request_)
    assert line.find(b"\n") == len(line) - 1
    assert decode_request(line) == (7, request_)


@pytest.mark.parametrize(
    "reply",
    [
        Delta("reasoning", ODD),
        Looked((1.5, -2.25)),
        Looked((1.5, -2.25), ((0.5, -0.125), (1.0, 2.0))),
        Heartbeat(3),
        GenerationEnd("length", 1, 2, 3),
        LanguageModelInfo("tiny", ODD, True, 4096, "gpu"),
        LogLine("kb.adapters.llama", 20, ODD, "id-1"),
        12,
    ],
    ids=lambda reply: type(reply).__name__,
)
def test_reply_arrives_as_it_was_sent(reply: FromChild) -> None:
    line = encode_reply(7, reply)
    assert line.find(b"\n") == len(line) - 1
    assert decode_reply(line) == (7, reply)


@pytest.mark.parametrize("kind", ALL_ERRORS, ids=lambda kind: kind.__name__)
def test_error_arrives_as_what_it_was(kind: type[KBError]) -> None:
    sent = kind("it failed", "try again")
    _, received = decode_reply(encode_reply(7, sent))
    assert type(received) is kind
    assert vars(received) == vars(sent)


def test_fields_that_only_one_error_has_arrive_too() -> None:
    _, received = decode_reply(encode_reply(7, ModelBusy("full", "wait", retry_after_seconds=33)))
    assert isinstance(received, ModelBusy)
    assert received.retry_after_seconds == 33


def test_foreign_error_arrives_without_its_words() -> None:
    _, received = decode_reply(encode_reply(7, ValueError("what the user asked")))
    assert type(received) is ModelError
    assert "ValueError" in received.message
    assert "asked" not in f"{vars(received)}"


@pytest.mark.parametrize(
    "options",
    [
        EngineOptions(2048, 3, 64, True, "q8_0", 5),
        Untuned(EngineSettings(threads=3, kv_type="q8_0"), Path("/models/天\udcff.json"), afresh=True),
    ],
)
def test_model_to_load_arrives_as_it_was_sent(options: EngineOptions | Untuned) -> None:
    spec = ModelSpec(Path("/models/天\udcff.gguf"), "tiny", options, 4)
    assert decode_spec(encode_spec(spec)) == spec


def test_what_is_neither_request_nor_reply_is_refused() -> None:
    for line in (b'["delta", 1]\n', b'["dance", 1, 2]\n', b'["del'):
        with pytest.raises(ValueError):
            decode_reply(line)
        with pytest.raises(ValueError):
            decode_request(line)
