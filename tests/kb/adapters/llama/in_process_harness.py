"""Tiny models in this process, and what is evaluated of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.adapters.llama.context import Llama
from kb.adapters.llama.in_process import LlamaModel
from kb.adapters.llama.options import EngineOptions
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Message
from tests.tiny_gguf import Piece, tiny_chat

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


def count_evaluated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is evaluated from now on, in tokens."""
    counted: list[int] = []
    evaluate = Llama.evaluate

    def count(self: Llama, tokens: Sequence[int]) -> None:
        counted.append(len(tokens))
        evaluate(self, tokens)

    monkeypatch.setattr(Llama, "evaluate", count)
    return counted
