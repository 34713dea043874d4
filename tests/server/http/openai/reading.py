"""How the tests of `/v1` ask, and read what comes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.harness import Served


@dataclass
class Streamed:
    """A stream, taken apart."""

    chunks: list[dict[str, Any]] = field(default_factory=list)
    comments: int = 0
    ended: bool = False

    @property
    def deltas(self) -> list[dict[str, Any]]:
        return [choice["delta"] for chunk in self.chunks for choice in chunk.get("choices", ())]

    def text(self, key: str = "content") -> str:
        return "".join(delta.get(key) or "" for delta in self.deltas)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [chunk["event"] for chunk in self.chunks if "event" in chunk]

    @property
    def end(self) -> dict[str, Any]:
        """The choice that has the reason why it ended."""
        return next(
            choice
            for chunk in self.chunks
            for choice in chunk.get("choices", ())
            if choice["finish_reason"] is not None
        )


def chat(
    service: Served, *said: str, model: str = "r1-kb", headers: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    """Asks; what is said are words of the user and of the assistant by turns."""
    messages = [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(said)]
    body = {"model": model, "messages": messages, **more}
    return service.client.post("/v1/chat/completions", json=body, headers=headers)


def streamed(response: httpx.Response) -> Streamed:
    """Reads the bytes of a stream; nothing in it may be else than data or comments."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    read = Streamed()
    *blocks, rest = response.content.decode().split("\n\n")
    assert rest == ""
    for block in blocks:
        assert not read.ended, "nothing comes after the end"
        assert "\n" not in block
        if block == ": keep-alive":
            read.comments += 1
        elif block == "data: [DONE]":
            read.ended = True
        else:
            assert block.startswith("data: ")
            read.chunks.append(json.loads(block.removeprefix("data: ")))
    return read


def whole(response: httpx.Response) -> dict[str, Any]:
    """The message of an answer that is not streamed."""
    assert response.status_code == 200, response.text
    (choice,) = response.json()["choices"]
    message: dict[str, Any] = choice["message"]
    return message


def marks(content: str, annotations: Sequence[dict[str, Any]]) -> list[str]:
    """What each annotation points at."""
    cited = [annotation["url_citation"] for annotation in annotations]
    return [content[citation["start_index"] : citation["end_index"]] for citation in cited]
