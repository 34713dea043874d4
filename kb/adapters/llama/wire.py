"""What the process of a language model and its parent say to each other: lines of JSON, so that nothing can run code.

The first line to the child is a `ModelSpec`; all others either way are lists of a kind, the number of the request that
they belong to, and what the kind needs. The answer to the `ModelSpec` has the number `LOADING`.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb import errors
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.errors import KBError, ModelError
from kb.values.chat import (
    Delta,
    Generated,
    GenerationEnd,
    GenerationOptions,
    Heartbeat,
    LanguageModelInfo,
    Look,
    Looked,
    Message,
)

LOADING = 0
"""Number of the request to load the model."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """What the child has to say to whoever reads the log; with the number `LOADING`.

    Attributes:
        level: As in `logging`.
    """

    logger: str
    level: int
    text: str
    request_id: str = ""


FromChild = Generated | LanguageModelInfo | int | LogLine | KBError
"""What comes back: parts of an answer, what was loaded, a number of tokens, a line for the log, or what went wrong."""

_ERRORS: dict[str, type[KBError]] = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KBError)
}


@dataclass(frozen=True, slots=True)
class Untuned:
    """How llama.cpp runs the model is chosen where it is loaded; see `kb.adapters.llama.tuning.tune`.

    Attributes:
        settings: What was set by hand.
        cache: The file of what was measured before.
        afresh: Whether a measurement that was disturbed is repeated.
    """

    settings: EngineSettings
    cache: Path
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model the child loads, and how; see `kb.adapters.llama.in_process.LlamaModel`."""

    path: Path
    name: str
    options: EngineOptions | Untuned
    queue_size: int


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Asks for the tokens of a text."""

    text: str


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """Asks for the tokens of a prompt."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Generate:
    """Asks for a reply."""

    messages: tuple[Message, ...]
    options: GenerationOptions
    looks: tuple[Look, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """Asks for what some prompts begin with to be read; nothing comes back."""

    prompts: tuple[tuple[Message, ...], ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Takes back a `Generate` of the same number."""


ToChild = CountTokens | PromptTokens | Generate | ReadAhead | Withdraw


def encode_spec(spec: ModelSpec) -> bytes:
    """Writes the first line to the child."""
    match spec.options:
        case Untuned(settings, cache, afresh):
            options = {"settings": dataclasses.asdict(settings), "cache": str(cache), "afresh": afresh}
        case EngineOptions():
            options = dataclasses.asdict(spec.options)
    return _line(str(spec.path), spec.name, options, spec.queue_size)


def decode_spec(line: bytes) -> ModelSpec:
    """Reads what `encode_spec` wrote."""
    path, name, options, queue_size = json.loads(line)
    match options:
        case {"settings": settings, "cache": cache, "afresh": afresh}:
            return ModelSpec(Path(path), name, Untuned(EngineSettings(**settings), Path(cache), afresh), queue_size)
    return ModelSpec(Path(path), name, EngineOptions(**options), queue_size)


def encode_request(number: int, request: ToChild) -> bytes:
    """Writes a line to the child."""
    match request:
        case CountTokens(text):
            return _line("count", number, text)
        case PromptTokens(messages):
            return _line("prompt", number, _pairs(messages))
        case Generate(messages, options, looks, request_id):
            sent = [(_pairs(look.messages), look.reply, look.other) for look in looks]
            return _line("generate", number, _pairs(messages), dataclasses.asdict(options), sent, request_id)
        case ReadAhead(prompts):
            return _line("read", number, list(map(_pairs, prompts)))
        case Withdraw():
            return _line("withdraw", number)


def decode_request(line: bytes) -> tuple[int, ToChild]:
    """Reads what `encode_request` wrote.

    Raises:
        ValueError: It is no request.
    """
    match json.loads(line):
        case ["count", number, text]:
            return number, CountTokens(text)
        case ["prompt", number, pairs]:
            return number, PromptTokens(_messages(pairs))
        case ["generate", number, pairs, options, sent, request_id]:
            looks = tuple(Look(_messages(asked), reply, other) for asked, reply, other in sent)
            return number, Generate(_messages(pairs), GenerationOptions(**options), looks, request_id)
        case ["read", number, prompts]:
            return number, ReadAhead(tuple(map(_messages, prompts)))
        case ["withdraw", number]:
            return number, Withdraw()
    raise ValueError("no request to a language model")


def encode_reply(number: int, reply: FromChild | Exception) -> bytes:
    """Writes a line to the parent. What is no error of this project becomes one, without the words that it came with:
    they might be the user's."""
    match reply:
        case Delta():
            return _line("delta", number, reply.phase, reply.text)
        case Looked():
            return _line("looked", number, reply.margins, reply.states)
        case Heartbeat():
            return _line("place", number, reply.place)
        case GenerationEnd():
            return _line("end", number, dataclasses.asdict(reply))
        case int():
            return _line("tokens", number, reply)
        case LanguageModelInfo():
            return _line("loaded", number, dataclasses.asdict(reply))
        case LogLine():
            return _line("log", number, dataclasses.asdict(reply))
        case KBError():
            return _line("error", number, type(reply).__name__, vars(reply))
        case Exception():
            return encode_reply(number, ModelError(f"the answering model failed ({type(reply).__name__})", "ask again"))


def decode_reply(line: bytes) -> tuple[int, FromChild]:
    """Reads what `encode_reply` wrote.

    Raises:
        ValueError: It is no reply.
    """
    match json.loads(line):
        case ["delta", number, phase, text]:
            return number, Delta(phase, text)
        case ["looked", number, margins, states]:
            return number, Looked(tuple(margins), tuple(map(tuple, states)))
        case ["place", number, place]:
            return number, Heartbeat(place)
        case ["end", number, fields]:
            return number, GenerationEnd(**fields)
        case ["tokens", number, int(tokens)]:
            return number, tokens
        case ["loaded", number, fields]:
            return number, LanguageModelInfo(**fields)
        case ["log", number, fields]:
            return number, LogLine(**fields)
        case ["error", number, name, fields]:
            return number, _ERRORS[name](**fields)
    raise ValueError("no reply of a language model")


def _line(*fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _pairs(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages]


def _messages(pairs: Sequence[Sequence[Any]]) -> tuple[Message, ...]:
    return tuple(Message(role, content) for role, content in pairs)
