"""The child's side of `kb.adapters.llama.embedding.embedder`: runs one model for a parent that holds two pipes.

Run as `python -m kb.adapters.llama.embedding.main`. One thread embeds, batch after batch; a question goes before what
is left of the texts that are to be found. It ends when the parent does. Texts are never logged.
"""

import heapq
import os
import signal
import threading
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from kb.adapters.llama.embedding.context import MOST_TEXTS, EmbeddingContext
from kb.adapters.llama.embedding.wire import (
    Counts,
    CountTokens,
    Embed,
    Embedded,
    EmbeddingInfo,
    EmbeddingSpec,
    FromChild,
    ToChild,
    decode_request,
    decode_spec,
    encode_reply,
)
from kb.adapters.llama.wire import LOADING
from kb.children import answer_parent, forbid_core_dumps, take_standard_streams
from kb.errors import KBError
from kb.ports import Vectors

_CHARS_PER_TOKEN = 64  # more of a text is not read, as it cannot matter: tokenizing takes many times its length


def main() -> None:
    """Answers until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = take_standard_streams()
    forbid_core_dumps()
    server = _Server(sink)

    def run(line: bytes) -> None:
        threading.Thread(target=server.run, args=(decode_spec(line),), daemon=True).start()

    answer_parent(source, run, lambda line: server.answer(*decode_request(line)))


@dataclass(order=True, slots=True)
class _Work:
    """Texts of one request, the longest first, so that little is left over in a batch.

    Attributes:
        rank: Questions are 0, and go first.
    """

    rank: int
    number: int
    left: list[tuple[int, list[int]]] = field(compare=False)
    vectors: Vectors = field(compare=False)


class _Server:
    """A model and the pipe to whoever uses it; requests come once it has said that the model is loaded."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._turn = threading.Lock()
        self._model: EmbeddingContext | None = None
        self._queue: list[_Work] = []
        self._changed = threading.Condition()

    def run(self, spec: EmbeddingSpec) -> None:
        """Loads the model and embeds for ever."""
        try:
            model = self._model = EmbeddingContext(spec.path, spec.threads, spec.gpu_layers)
        except KBError as error:
            self.send(LOADING, error)
            os._exit(0)
        self.send(LOADING, EmbeddingInfo(model.dimension, model.max_tokens - model.end_tokens, model.title))
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                work = self._queue[0]
            self._go_on(model, work)

    def answer(self, number: int, request: ToChild) -> None:
        model = self._model
        assert model, "requests come once it has said that the model is loaded"
        match request:
            case CountTokens(texts):
                self.send(number, Counts(tuple(len(model.tokens(text)) for text in texts)))
            case Embed(texts, is_question):
                most = model.max_tokens * _CHARS_PER_TOKEN
                tokens = [model.with_ends(model.tokens(text[:most])) for text in texts]
                left = sorted(enumerate(tokens), key=lambda item: len(item[1]), reverse=True)
                vectors = np.empty((len(texts), model.dimension), dtype=np.float32)
                with self._changed:
                    heapq.heappush(self._queue, _Work(int(not is_question), number, left, vectors))
                    self._changed.notify()

    def send(self, number: int, reply: FromChild | KBError) -> None:
        """Says something to the parent."""
        line = encode_reply(number, reply)
        with self._turn:
            self._sink.write(line)
            self._sink.flush()

    def _go_on(self, model: EmbeddingContext, work: _Work) -> None:
        """Embeds one batch of the texts of a request."""
        batch = _batch(work.left, model.batch_tokens)
        try:
            if batch:
                work.vectors[[place for place, _ in batch]] = model.embed([tokens for _, tokens in batch])
                del work.left[: len(batch)]
            reply: FromChild | KBError | None = None if work.left else Embedded(work.vectors)
        except KBError as error:
            reply = error
        if reply is not None:
            with self._changed:
                self._queue.remove(work)
                heapq.heapify(self._queue)
            self.send(work.number, reply)


def _batch(texts: list[tuple[int, list[int]]], most_tokens: int) -> list[tuple[int, list[int]]]:
    """The first texts that go into one batch."""
    taken, room = 0, most_tokens
    for _, tokens in texts[:MOST_TEXTS]:
        if len(tokens) > room:
            break
        taken, room = taken + 1, room - len(tokens)
    return texts[:taken]


if __name__ == "__main__":
    main()
