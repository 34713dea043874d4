"""An embedding model and a reranker on a server: `/embeddings` and `/rerank`, behind their ports.

What is too much for a server at once is sent in halves, what is too long for its model is cut. Invariant: neither texts
nor keys are logged.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import numpy as np

from kb.adapters.openai_api.connection import Connection
from kb.adapters.openai_api.errors import Refused
from kb.adapters.openai_api.loop import Loop
from kb.errors import ModelError, ModelMissing, PromptTooLong
from kb.generation.disguise import Disguise, hidden_alone
from kb.generation.estimate import estimated_tokens
from kb.models.prefixes import prefixes_of
from kb.models.remote import RemoteModel
from kb.ports import FindPersonal, Vectors
from kb.values.personal import none_found

T = TypeVar("T")

TEXTS_AT_ONCE = 32
"""Most that every known server takes of its own accord; DashScope wants 10, and gets halves."""

REQUESTS_AT_ONCE = 4

PATIENCE_SECONDS = 120.0
"""A processor embeds 32 long texts in less."""

MAX_TOKENS = 512
"""Taken to be read by any model; what is cut off beyond is its own affair."""

_LEAST_CHARS = 64
"""What is shorter is not too long: something else is wrong."""


class _OnServer:
    """A model on a server to which texts are sent. Safe for use by several threads.

    Args:
        find: Finds what the server must not see.
    """

    def __init__(self, model: RemoteModel, key: str, find: FindPersonal) -> None:
        self._remote = model
        self._find = find
        self._connection, self._loop = Connection(model, key), Loop()
        self._closing = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Closes all connections. Closing twice does nothing."""
        with self._closing:
            was_closed, self._closed = self._closed, True
        if not was_closed:
            self._loop.close(self._connection.close())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        with self._closing:
            future = None if self._closed else self._loop.start(work)
        try:
            if future:
                return future.result()
        except CancelledError:
            pass  # it was closed meanwhile
        work.close()
        raise ModelError(f"the model {self._remote.model} is closed", "open the data directory again")

    async def _ask(self, path: str, body: object) -> Any:
        model = self._remote
        base = f"{model.root}/v1" if model.protocol == "ollama" else model.url
        answer = await self._connection.ask(f"{base}{path}", body, PATIENCE_SECONDS)
        if answer is None:
            raise ModelMissing(
                f"the server {model.host} has nothing at {base}{path} for the model {model.model!r}",
                f"correct {model.setting}, or start the server so that it serves it",
            )
        return answer

    def _odd(self, what: str) -> ModelError:
        return ModelError(
            f"the server {self._remote.host} gave {what}",
            f"is {self._remote.model} such a model? Look at the server's log",
        )


class RemoteEmbedder(_OnServer):
    """Adapter of `kb.ports.Embedder`, and of `kb.ports.QueryBatches`.

    Args:
        key: Sent as bearer; empty: none is.

    Raises:
        ModelMissing: The server does not embed with such a model.
        ModelError: It cannot be reached, or refuses.
    """

    def __init__(self, model: RemoteModel, key: str = "", find: FindPersonal = none_found) -> None:
        super().__init__(model, key, find)
        self._prefixes = prefixes_of(model.model)
        self.max_tokens = MAX_TOKENS - estimated_tokens(self._prefixes.passage)
        try:
            self.dimension = len(self._wait(self._vectors(["?"]))[0])
        except BaseException:
            self.close()
            raise

    @property
    def identity(self) -> str:
        """See `kb.ports.Embedder`. A server does not tell versions; another length of vectors is another model."""
        return f"{self._remote.model}@{self._remote.host}/{self.dimension}"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `kb.ports.Embedder`; an estimate, rather too many than too few: chunks would cost a request for each."""
        return [estimated_tokens(text) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Embedder`."""
        return self._embed(self._prefixes.passage, texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.QueryBatches`."""
        return self._embed(self._prefixes.query, texts)

    def embed_query(self, text: str) -> Vectors:
        """See `kb.ports.Embedder`."""
        vector: Vectors = self.embed_queries([text])[0]
        return vector

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        hidden = (hidden_alone(text, self._find) for text in texts)
        sent = [f"{prefix}{text}" if text.strip() else f"{prefix}." for text in hidden]  # servers refuse what is empty
        vectors = self._wait(self._in_batches(sent))
        try:
            found = np.array(vectors, dtype=np.float32).reshape(len(texts), self.dimension)
        except (TypeError, ValueError) as error:
            hint = "start anew: it may serve another model by now, for which all is embedded again"
            raise ModelError(f"{self._remote.host} gives vectors of another length", hint) from error
        if not np.isfinite(found).all():
            raise self._odd("vectors that are no numbers")
        unit: Vectors = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return unit

    async def _in_batches(self, texts: Sequence[str]) -> list[list[float]]:
        at_once = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def some(batch: Sequence[str]) -> list[list[float]]:
            async with at_once:
                return await self._vectors(batch)

        batches = [texts[start : start + TEXTS_AT_ONCE] for start in range(0, len(texts), TEXTS_AT_ONCE)]
        return [vector for found in await asyncio.gather(*map(some, batches)) for vector in found]

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        body = {"model": self._remote.model, "input": list(texts), "encoding_format": "float"}
        half = len(texts) // 2
        try:
            answer = await self._ask("/embeddings", body)
        except (PromptTooLong, Refused) as error:
            if half:
                return await self._vectors(texts[:half]) + await self._vectors(texts[half:])
            if isinstance(error, PromptTooLong) and len(texts[0]) > _LEAST_CHARS:
                return await self._vectors([texts[0][: len(texts[0]) // 2]])
            raise
        vectors = in_order(answer.get("data") if isinstance(answer, dict) else None, "embedding", len(texts))
        if vectors is None:
            raise self._odd("something else than a vector for each text")
        return vectors


class RemoteReranker(_OnServer):
    """Adapter of `kb.ports.Reranker`: `/rerank` as llama-server, vLLM, Jina and Cohere have it, and as TEI has it.

    Args:
        key: Sent as bearer; empty: none is.

    Raises:
        ModelMissing: The server does not rerank with such a model.
        ModelError: It cannot be reached, or refuses.
    """

    def __init__(self, model: RemoteModel, key: str = "", find: FindPersonal = none_found) -> None:
        super().__init__(model, key, find)
        self.identity = f"{model.model}@{model.host}"
        self._field = "documents"  # TEI says that it wants `texts`
        try:
            self.scores("?", ["?"])
        except BaseException:
            self.close()
            raise

    def scores(self, query: str, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Reranker`."""
        if not texts:
            return np.empty(0, dtype=np.float32)
        disguise = Disguise(self._find, [query, *texts])
        query, *texts = map(disguise.hidden, [query, *texts])
        scores = np.array(self._wait(self._scored(query, [text.strip() or "." for text in texts])), dtype=np.float32)
        if not np.isfinite(scores).all():
            raise self._odd("scores that are no numbers")
        return scores

    async def _scored(self, query: str, texts: Sequence[str]) -> list[float]:
        half = len(texts) // 2
        try:
            answer = await self._ask("/rerank", {"model": self._remote.model, "query": query, self._field: list(texts)})
        except (PromptTooLong, Refused) as error:
            if isinstance(error, Refused) and "texts" in error.said and self._field != "texts":
                self._field = "texts"
                return await self._scored(query, texts)
            longest = max(map(len, [query, *texts]))
            if isinstance(error, PromptTooLong) and longest > _LEAST_CHARS:
                return await self._scored(query[: longest // 2], [text[: longest // 2] for text in texts])
            if half:
                return await self._scored(query, texts[:half]) + await self._scored(query, texts[half:])
            raise
        results = answer.get("results") if isinstance(answer, dict) else answer
        scores = in_order(results, "relevance_score", len(texts)) or in_order(results, "score", len(texts))
        if scores is None:
            raise self._odd("something else than a score for each text")
        return scores


def in_order(items: Any, name: str, count: int) -> list[Any] | None:
    """Values in the order of what was sent: servers give them as they like, with an `index`.

    Returns:
        None if one is missing, or comes twice.
    """
    try:
        found = {int(item["index"]): item[name] for item in items}
    except (TypeError, KeyError, ValueError):
        return None
    return [found[n] for n in range(count)] if found.keys() == set(range(count)) else None
