"""The order in which the process of an embedding model does what it is asked: over a model that only notes it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.llama.embedding import main
from kb.adapters.llama.embedding.wire import (
    Counts,
    CountTokens,
    Embed,
    Embedded,
    EmbeddingInfo,
    EmbeddingSpec,
    decode_reply,
    decode_request,
    decode_spec,
    encode_reply,
    encode_request,
    encode_spec,
)
from kb.errors import ModelError
from kb.ports import Vectors


class NotingContext:
    """Embeds a text as its length; eight tokens go into a batch."""

    dimension, max_tokens, end_tokens, batch_tokens = 1, 8, 0, 8

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def tokens(self, text: str) -> list[int]:
        return list(map(ord, text))

    def with_ends(self, tokens: Sequence[int]) -> list[int]:
        return list(tokens[: self.max_tokens])

    def embed(self, texts: Sequence[Sequence[int]]) -> Vectors:
        self.batches.append(["".join(map(chr, tokens)) for tokens in texts])
        if "bad" in self.batches[-1]:
            raise ModelError("it failed", "no more")
        return np.array([[len(tokens)] for tokens in texts], dtype=np.float32)


@pytest.fixture
def model() -> NotingContext:
    return NotingContext()


def replies(model: NotingContext, *requests: Embed | CountTokens) -> dict[int, object]:
    """What comes back where all is asked before anything is done."""
    sink = io.BytesIO()
    server = main._Server(sink)
    server._model = model  # type: ignore[assignment]
    for number, request in enumerate(requests, start=1):
        server.answer(*decode_request(encode_request(number, request)))
    while server._queue:
        server._go_on(model, server._queue[0])  # type: ignore[arg-type]
    return dict(decode_reply(line) for line in sink.getvalue().splitlines())


def test_question_goes_before_what_is_left_of_the_passages(model: NotingContext) -> None:
    found = replies(model, Embed(("aaaa", "bb", "cccccc")), Embed(("question",), is_question=True))
    assert model.batches == [["question"], ["cccccc"], ["aaaa", "bb"]]
    passages = found[1]
    assert isinstance(passages, Embedded)
    np.testing.assert_array_equal(passages.vectors, [[4.0], [2.0], [6.0]])
    assert list(found) == [2, 1]


def test_request_that_fails_is_told_and_the_others_go_on(model: NotingContext) -> None:
    found = replies(model, Embed(("bad",)), Embed(("good", "")), CountTokens(("ab", "")), Embed(()))
    assert isinstance(found[1], ModelError)
    assert isinstance(found[2], Embedded)
    assert found[3] == Counts((2, 0))
    empty = found[4]
    assert isinstance(empty, Embedded)
    assert empty.vectors.shape == (0, 1)


def test_what_is_sent_is_what_comes() -> None:
    spec = EmbeddingSpec(Path("/a/b.gguf"), 2, 0)
    assert decode_spec(encode_spec(spec)) == spec
    info = EmbeddingInfo(3, 4, "t")
    assert decode_reply(encode_reply(0, info)) == (0, info)
    with pytest.raises(ValueError, match="no reply"):
        decode_reply(b'["tokens", 1, 2]')
    with pytest.raises(ValueError, match="no request"):
        decode_request(b'["sing", 1]')
