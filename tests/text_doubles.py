"""Doubles of servers that embed and rerank, each as strict and as odd as the real one. See `tests.remote_doubles`."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from kb.adapters.openai_api.texts import RemoteEmbedder, RemoteReranker
from kb.models.remote import RemoteModel
from tests.fakes import FakeEmbedder, FakeReranker
from tests.remote_doubles import KEY, Double, Refusal, openai_error, tokens_of
from tests.remote_servers import serving


@dataclass
class TextServer(Double):
    """Embeds and reranks as an OpenAI-compatible server does; the last text comes first in its answer.

    Attributes:
        batch: Most texts at once.
        embedder: What it embeds with.
        goes_on: Until it is set, nothing is answered.
    """

    protocol: ClassVar[Literal["openai", "ollama"]] = "openai"
    model: str = "some-embedder"
    window: int = 512
    batch: int = 64
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.is_asked, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def is_chat(self, path: str) -> bool:
        return False

    def handle(self, method: str, path: str, body: Any) -> object:
        self.is_asked.set()
        self.goes_on.wait(20)
        if self.failures:
            raise self.failures.pop(0)
        if method == "POST" and path == "/v1/embeddings":
            return self.embeddings(body)
        if method == "POST" and path == "/v1/rerank":
            return self.rerank(body)
        return super().handle(method, path, body)

    def embeddings(self, body: Any) -> object:
        texts = self.checked(body, "input")
        vectors = self.embedder.embed_passages(texts)
        data = [
            {"object": "embedding", "index": n, "embedding": (3 * vector).tolist()} for n, vector in enumerate(vectors)
        ]
        return {"object": "list", "model": self.model, "data": data[::-1], "usage": {"prompt_tokens": 1}}

    def rerank(self, body: Any) -> object:
        texts = self.checked(body, "documents")
        scores = FakeReranker().scores(body["query"], texts)
        results = [{"index": n, "relevance_score": float(score)} for n, score in enumerate(scores)]
        return {"model": self.model, "results": sorted(results, key=lambda result: -result["relevance_score"])}

    def checked(self, body: Any, name: str) -> list[str]:
        """The texts; refused as the real one does."""
        if body["model"] != self.model:
            raise openai_error(404, f"The model `{body['model']}` does not exist.", "model_not_found")
        texts: list[str] = body[name]
        if not texts or not all(texts):
            raise openai_error(400, "Invalid 'input': input cannot be an empty string.")
        if len(texts) > self.batch:
            raise self.too_many(len(texts))
        longest = max(len(tokens_of(text)) for text in [*texts, body.get("query", "")])
        if longest > self.window:
            raise self.too_long(longest)
        return texts

    def too_many(self, count: int) -> Refusal:
        return openai_error(400, f"Too many inputs: {count}")

    def too_long(self, tokens: int) -> Refusal:
        said = f"This model's maximum context length is {self.window} tokens. However, your request has {tokens}"
        return openai_error(400, said)


class LlamaTextServer(TextServer):
    """Reads no more than a batch, and has no better status for it."""

    def too_long(self, tokens: int) -> Refusal:
        said = f"input ({tokens} tokens) is too large to process. increase the physical batch size (current: 512)"
        return Refusal(500, {"error": {"code": 500, "message": said, "type": "server_error"}})


@dataclass
class DashScopeTexts(TextServer):
    """Takes ten, and wants a key."""

    key = KEY
    batch: int = 10

    def too_many(self, count: int) -> Refusal:
        said = "<400> InternalError.Algo.InvalidParameter: batch size is invalid, it should not be larger than 10."
        return openai_error(400, said)


class TextEmbeddingsInference(TextServer):
    """Reranks `texts`, and answers with a list."""

    def rerank(self, body: Any) -> object:
        if "texts" not in body:
            raise Refusal(422, "Failed to deserialize the JSON body into the target type: missing field `texts`")
        texts = self.checked(body, "texts")
        return [{"index": n, "score": float(s)} for n, s in enumerate(FakeReranker().scores(body["query"], texts))]

    def too_many(self, count: int) -> Refusal:
        said = f"batch size {count} > maximum allowed batch size {self.batch}"
        return Refusal(422, {"error": said, "error_type": "Validation"})

    def too_long(self, tokens: int) -> Refusal:
        said = f"Input validation error: `inputs` must have less than {self.window} tokens. Given: {tokens}"
        return Refusal(413, {"error": said, "error_type": "Validation"})


class OllamaTexts(TextServer):
    """Embeds behind `/v1`, as its protocol `ollama` is served; cuts without a word what is too long for its window."""

    protocol: ClassVar[Literal["openai", "ollama"]] = "ollama"

    def embeddings(self, body: Any) -> object:
        if body["model"] != self.model:
            message = f'model "{body["model"]}" not found, try pulling it first'
            raise Refusal(404, {"error": {"message": message, "type": "not_found_error", "param": None, "code": None}})
        return super().embeddings(body)

    def rerank(self, body: Any) -> object:
        raise Refusal(404, "404 page not found")


EMBEDDING_ONLY: Sequence[type[TextServer]] = (OllamaTexts,)
SERVERS: Sequence[type[TextServer]] = (TextServer, LlamaTextServer, DashScopeTexts, TextEmbeddingsInference)


@contextmanager
def embedder_on(double: TextServer) -> Iterator[RemoteEmbedder]:
    """Serves a double, and opens the embedding model on it."""
    with serving(double) as url:
        address = url.removesuffix("/v1") if double.protocol == "ollama" else url
        opened = RemoteEmbedder(RemoteModel(double.protocol, double.model, address, "KB_EMBEDDING_MODEL"), double.key)
        with closing(opened):
            yield opened


@contextmanager
def reranker_on(double: TextServer) -> Iterator[RemoteReranker]:
    """Serves a double, and opens the reranker on it."""
    with serving(double) as url:
        opened = RemoteReranker(RemoteModel("openai", double.model, url, "KB_RERANKER"), double.key)
        with closing(opened):
            yield opened
