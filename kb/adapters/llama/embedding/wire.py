"""What the process of an embedding model and its parent say to each other: lines of JSON, as in the `wire` above.

The first line to the child is an `EmbeddingSpec`; all others either way are lists of a kind, the number of the request,
and what the kind needs. Vectors travel as the bytes of their numbers, in Base64.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kb.adapters.llama import wire
from kb.adapters.llama.wire import LogLine
from kb.errors import KBError
from kb.ports import Vectors


@dataclass(frozen=True, slots=True)
class EmbeddingSpec:
    """Which model the child loads, and how; see `kb.adapters.llama.embedding.context.EmbeddingContext`."""

    path: Path
    threads: int = 0
    gpu_layers: int = -1


@dataclass(frozen=True, slots=True)
class EmbeddingInfo:
    """What was loaded.

    Attributes:
        text_tokens: Longest text, without the tokens at its ends.
        title: What the file calls the model.
    """

    dimension: int
    text_tokens: int
    title: str


@dataclass(frozen=True, slots=True)
class Embed:
    """Asks for vectors.

    Attributes:
        is_question: Whether it goes before texts that are to be found.
    """

    texts: tuple[str, ...]
    is_question: bool = False


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Asks for the number of tokens of each text, without those at its ends."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """The answer to that."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The answer to `Embed`: `(n, d) float32`, in the order of the texts."""

    vectors: Vectors


ToChild = Embed | CountTokens
FromChild = EmbeddingInfo | Embedded | Counts


def encode_spec(spec: EmbeddingSpec) -> bytes:
    """Writes the first line to the child."""
    return _line(str(spec.path), spec.threads, spec.gpu_layers)


def decode_spec(line: bytes) -> EmbeddingSpec:
    """Reads what `encode_spec` wrote."""
    path, threads, gpu_layers = json.loads(line)
    return EmbeddingSpec(Path(path), threads, gpu_layers)


def encode_request(number: int, request: ToChild) -> bytes:
    """Writes a line to the child."""
    match request:
        case Embed(texts, is_question):
            return _line("embed", number, texts, is_question)
        case CountTokens(texts):
            return _line("count", number, texts)


def decode_request(line: bytes) -> tuple[int, ToChild]:
    """Reads what `encode_request` wrote.

    Raises:
        ValueError: It is no request.
    """
    match json.loads(line):
        case ["embed", number, texts, is_question]:
            return number, Embed(tuple(texts), is_question)
        case ["count", number, texts]:
            return number, CountTokens(tuple(texts))
    raise ValueError("no request to an embedding model")


def encode_reply(number: int, reply: FromChild | LogLine | Exception) -> bytes:
    """Writes a line to the parent."""
    match reply:
        case EmbeddingInfo():
            return _line("loaded", number, asdict(reply))
        case Embedded(vectors):
            numbers = base64.b64encode(np.ascontiguousarray(vectors, dtype="<f4").tobytes()).decode()
            return _line("vectors", number, vectors.shape, numbers)
        case Counts(tokens):
            return _line("counts", number, tokens)
        case LogLine() | Exception():
            return wire.encode_reply(number, reply)


def decode_reply(line: bytes) -> tuple[int, FromChild | LogLine | KBError]:
    """Reads what `encode_reply` wrote.

    Raises:
        ValueError: It is no reply.
    """
    match json.loads(line):
        case ["loaded", number, fields]:
            return number, EmbeddingInfo(**fields)
        case ["vectors", number, shape, numbers]:
            vectors = np.frombuffer(base64.b64decode(numbers), dtype="<f4").reshape(shape)
            return number, Embedded(vectors.astype(np.float32))
        case ["counts", number, tokens]:
            return number, Counts(tuple(tokens))
    number, reply = wire.decode_reply(line)
    if isinstance(reply, LogLine | KBError):
        return number, reply
    raise ValueError("no reply of an embedding model")


def _line(*fields: str | int | bool | Sequence[object] | dict[str, object]) -> bytes:
    return json.dumps(fields).encode() + b"\n"
