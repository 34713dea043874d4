"""The bytes of a reply that streams → its pieces, over both protocols.

Pure. Knows nothing of connections. Whatever is not understood in a line is passed over; an error object is not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_LINE_BYTES = 8_000_000
_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_text")


class StreamError(Exception):
    """An error object in the middle of a reply.

    Args:
        error: As the server has put it.
    """

    def __init__(self, error: object) -> None:
        super().__init__("the reply holds an error")
        self.error = error


@dataclass(frozen=True, slots=True)
class Usage:
    """What was counted by the server; None: it did not say."""

    prompt_tokens: int
    reply_tokens: int
    reasoning_tokens: int | None = None
    reused_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What one line of a reply brings.

    Attributes:
        finish: Why the reply ends here; empty: it goes on.
        is_last: Whether nothing comes after it.
    """

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: Usage | None = None
    is_last: bool = False


class Lines:
    """Cuts bytes into lines at line feeds alone: what else looks like the end of a line may stand inside of JSON."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """Takes more bytes; gives the lines that are whole now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise StreamError("a line has no end")
        yield from (line.decode("utf-8", "replace").strip("\r") for line in whole)

    def end(self) -> Iterator[str]:
        """Gives what came after the last line feed."""
        if self._rest:
            yield self._rest.decode("utf-8", "replace")
            self._rest = b""


def pieces_of(line: str) -> Iterator[Piece]:
    """Reads one line, of an event stream, of JSON lines, or a whole reply that does not stream.

    Raises:
        StreamError: It tells of an error.
    """
    data = line.removeprefix("data:").strip()
    if data == "[DONE]":
        yield Piece(is_last=True)
    if not data.startswith("{"):
        return
    try:
        message = json.loads(data)
    except ValueError:
        return
    if error := message.get("error"):
        raise StreamError(error)
    if message.get("object") == "error":  # older vLLM
        raise StreamError(message.get("message"))
    if "choices" in message:
        yield from _of_openai(message)
    elif "message" in message or "done" in message:
        yield _of_ollama(message)


def _of_openai(message: dict[str, Any]) -> Iterator[Piece]:
    for choice in message["choices"] or ():
        delta = choice.get("delta") or choice.get("message") or {}
        yield Piece(_text(delta, "content"), _reasoning(delta), str(choice.get("finish_reason") or ""))
    if usage := message.get("usage"):
        details = usage.get("completion_tokens_details") or {}
        read = usage.get("prompt_tokens_details") or {}
        yield Piece(
            usage=Usage(
                usage.get("prompt_tokens") or 0,
                usage.get("completion_tokens") or 0,
                details.get("reasoning_tokens"),
                read.get("cached_tokens") or 0,
            )
        )


def _of_ollama(message: dict[str, Any]) -> Piece:
    delta = message.get("message") or {}
    text, reasoning = _text(delta, "content"), _reasoning(delta)
    if not message.get("done"):
        return Piece(text, reasoning)
    usage = Usage(message.get("prompt_eval_count") or 0, message.get("eval_count") or 0)
    return Piece(text, reasoning, str(message.get("done_reason") or "stop"), usage, is_last=True)


def _reasoning(delta: dict[str, Any]) -> str:
    return next(filter(None, (_text(delta, field) for field in _REASONING_FIELDS)), "")


def _text(delta: dict[str, Any], field: str) -> str:
    text = delta.get(field)
    if isinstance(text, list):  # parts of a content
        text = "".join(str(part.get("text") or "") for part in text if isinstance(part, dict))
    return text if isinstance(text, str) else ""
