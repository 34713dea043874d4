"""One fake for each port whose real adapter is slow or random."""

import itertools
import re
import threading
import zlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from kb.errors import KBError, ModelBusy, ModelError, PromptTooLong, VectorIndexError
from kb.judging.calibration import Calibration, LookWeights
from kb.judging.weights import Weights
from kb.ports import Vectors
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

CALIBRATION = Calibration(
    "fake, a fake",
    {kind: LookWeights(Weights((1.0,), 0.0), 1.0) for kind in ("evidence", "answer", "sentence")},
)
"""Takes what the fake shows as it is."""

_T = TypeVar("_T")

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = re.compile(r"\s*\S+|\s+")


class FakeEngine:
    """Says what it was told to say, a word at a time; nothing more is to be had of it than of an engine afar.

    Args:
        answer: The reply to everything else.
        replies: Others, by a text that is in what it is asked.
        reasoning: What it thinks before; a model without reasoning does not think.
        context_tokens: Size of its context window, in its own tokens.
        queue_size: Streams that may be open beside a first one.
        fails: Raised by `stream` instead of the reply, after the first delta.
        goes_on: Pause at each piece until this is set; None: no pauses.
    """

    token = re.compile(r"\s?[A-Za-z]{1,4}|\S")
    """A piece of its vocabulary."""

    def __init__(
        self,
        answer: str = "The answer is forty-two.",
        reasoning: str = "",
        *,
        context_tokens: int = 4096,
        queue_size: int = 8,
        fails: KBError | None = None,
        goes_on: threading.Event | None = None,
        replies: Mapping[str, str] | None = None,
    ) -> None:
        self.info = LanguageModelInfo("fake", "a fake", bool(reasoning), context_tokens)
        self.asked: list[Sequence[Message]] = []
        self.options: list[GenerationOptions] = []
        self.finished: list[str] = []
        self._answer = answer
        self._replies = replies or {}
        self._reasoning = reasoning
        self._queue_size = queue_size
        self._fails = fails
        self._goes_on = goes_on
        self._open = 0
        self._closed = False

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        return self._reply(messages, options, None)

    def close(self) -> None:
        self._closed = True

    def _reply(
        self, messages: Sequence[Message], options: GenerationOptions, looked: Looked | None
    ) -> Generator[Generated, None, None]:
        reasoning_tokens = options.reasoning_tokens if self.info.reasons else 0
        prompt_tokens = self._prompt_tokens(messages)
        needed = prompt_tokens + reasoning_tokens + options.answer_tokens
        if needed > self.info.context_tokens:
            raise PromptTooLong(f"{needed} tokens do not fit into {self.info.context_tokens}", "ask less")
        if self._open > self._queue_size:
            raise ModelBusy(f"{self._open - 1} questions are waiting already", "ask again in a moment")
        self.asked.append(messages)
        self.options.append(options)
        reasoning = _PIECE.findall(self._reasoning)[:reasoning_tokens]
        answer = _PIECE.findall(_of_text(self._replies, messages, self._answer))
        finish_reason = "cancelled"
        self._open += 1
        try:
            # As the real one does while it reads the prompt.
            yield Heartbeat()
            if looked:
                yield looked
            if self._fails is not None:
                raise self._fails
            for piece in reasoning:
                self._pause()
                yield Delta("reasoning", piece)
            for piece in answer[: options.answer_tokens]:
                self._pause()
                yield Delta("answer", piece)
            finish_reason = "length" if len(answer) > options.answer_tokens else "stop"
            yield GenerationEnd(
                "length" if finish_reason == "length" else "stop",
                prompt_tokens,
                len(reasoning),
                min(len(answer), options.answer_tokens),
            )
        finally:
            self.finished.append(finish_reason)
            self._open -= 1

    def _pause(self) -> None:
        if self._goes_on is not None:
            self._goes_on.wait(timeout=20)

    def _count_tokens(self, text: str) -> int:
        if self._closed:
            raise ModelError("the model fake is closed")
        return len(self.token.findall(text))

    def _prompt_tokens(self, messages: Sequence[Message]) -> int:
        return 3 + sum(4 + self._count_tokens(message.content) for message in messages)


class FakeLanguageModel(FakeEngine):
    """Counts tokens as well, a word is one, and can be looked at.

    Args:
        margins: What a look shows, by a text that is in what it asks; 0 where there is none.
    """

    token = _TOKEN

    def __init__(
        self,
        answer: str = "The answer is forty-two.",
        reasoning: str = "",
        *,
        context_tokens: int = 4096,
        queue_size: int = 8,
        fails: KBError | None = None,
        goes_on: threading.Event | None = None,
        margins: Mapping[str, float] | None = None,
        replies: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            answer,
            reasoning,
            context_tokens=context_tokens,
            queue_size=queue_size,
            fails=fails,
            goes_on=goes_on,
            replies=replies,
        )
        self._margins = margins or {}
        self.read: list[Sequence[Sequence[Message]]] = []

    def read_ahead(self, prompts: Sequence[Sequence[Message]]) -> None:
        self.read.append(prompts)

    def count_tokens(self, text: str) -> int:
        return self._count_tokens(text)

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        return self._prompt_tokens(messages)

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        looked = Looked(tuple(_of_text(self._margins, look.messages, 0.0) for look in looks))
        if messages:
            yield from self._reply(messages, options, looked)
        else:
            yield looked
            yield GenerationEnd("stop", 0, 0, 0)


def _of_text(values: Mapping[str, _T], prompt: Sequence[Message], otherwise: _T) -> _T:
    """The first value whose text is in what is asked."""
    return next((value for text, value in values.items() if text in prompt[-1].content), otherwise)


_FEATURE = re.compile(r"[^\W_\u3000-\uffff]+|[\u3040-\u9fff]")


class FakeEmbedder:
    """Counts words, and pairs of Chinese characters, into a few hundred buckets: like texts get like vectors.

    Args:
        identity: As of a model of this name.
    """

    dimension = 256
    max_tokens = 512

    def __init__(self, identity: str = "fake") -> None:
        self.identity = identity
        self.embedded: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_TOKEN.findall(text)) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return np.array([self._vector(text) for text in texts], dtype=np.float32).reshape(len(texts), self.dimension)

    def embed_query(self, text: str) -> Vectors:
        return self._vector(text)

    def _vector(self, text: str) -> Vectors:
        found = _FEATURE.findall(text.casefold())
        features = [*found, *(one + two for one, two in itertools.pairwise(found) if ord(one[0]) > 0x3000)]
        vector = np.full(self.dimension, 0.01, dtype=np.float32)
        for feature in features:
            vector[zlib.crc32(f"{self.identity} {feature}".encode()) % self.dimension] += 1
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit


class FakeReranker:
    """Counts the words that question and text share; a shorter text comes before a longer one.

    Args:
        fails: Raised instead of an answer.
    """

    identity = "fake"

    def __init__(self, fails: KBError | None = None) -> None:
        self.read: list[str] = []
        self._fails = fails
        self._closed = False

    def scores(self, query: str, texts: Sequence[str]) -> Vectors:
        if self._closed:
            raise ModelError("the reranker is closed")
        if self._fails is not None:
            raise self._fails
        self.read.extend(texts)
        wanted = set(_FEATURE.findall(query.casefold()))
        shared = [len(wanted.intersection(_FEATURE.findall(text.casefold()))) for text in texts]
        return np.array([n - len(text) / 1e6 for n, text in zip(shared, texts, strict=True)], dtype=np.float32)

    def close(self) -> None:
        self._closed = True


class FakeVectorIndex:
    """Compares with every vector."""

    def __init__(self) -> None:
        self._vectors: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        lengths = {vector.size for vector in [*self._vectors.values(), *vectors]}
        if len(set(ids)) < len(ids) or len(lengths) > 1:
            raise VectorIndexError("ids that are not unique, or vectors of another length")
        with self._lock:
            self._vectors.update(zip(ids, vectors, strict=True))

    def delete(self, ids: Iterable[str]) -> None:
        with self._lock:
            for key in ids:
                self._vectors.pop(key, None)

    def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        with self._lock:
            found = [(key, float(stored @ vector)) for key, stored in self._vectors.items()]
        return sorted(found, key=lambda hit: -hit[1])[:k]

    def ids(self) -> set[str]:
        return set(self._vectors)

    def clear(self) -> None:
        self._vectors.clear()

    def close(self) -> None:
        pass
