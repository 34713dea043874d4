"""Texts → embeddings, as clients of the OpenAI API want them."""

import base64
from collections.abc import Sequence
from functools import partial

import numpy as np
from fastapi import Request

from kb.errors import InvalidRequest
from kb.knowledge_base import KnowledgeBase
from kb.ports import Vectors
from server.http.openai import schemas
from server.http.threads import Threads, in_thread

_BATCH = 32
"""Texts embedded at a time; between two it is seen whether the client is still there."""


async def embed(
    body: schemas.EmbeddingRequest, knowledge_base: KnowledgeBase, threads: Threads, request: Request
) -> schemas.EmbeddingList:
    """Embeds the texts of a request.

    Raises:
        InvalidRequest: A text is empty or too long, another length of vector is wanted, or the client has gone.
        ModelError: The embedding model is not ready.
    """
    texts = [body.input] if isinstance(body.input, str) else body.input
    tokens = await in_thread(threads.questions, lambda: _checked_tokens(knowledge_base, texts, body.dimensions))
    data: list[schemas.Embedding] = []
    for start in range(0, len(texts), _BATCH):
        if await request.is_disconnected():
            raise InvalidRequest("the client went away")
        batch = texts[start : start + _BATCH]
        embedding = partial(knowledge_base.embed, batch, as_queries=body.input_type == "query")
        vectors = await in_thread(threads.questions, embedding)
        data += [
            schemas.Embedding(index=start + n, embedding=_written(vector, body)) for n, vector in enumerate(vectors)
        ]
    return schemas.EmbeddingList(
        data=data, model=body.model, usage=schemas.EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens)
    )


def _checked_tokens(knowledge_base: KnowledgeBase, texts: Sequence[str], dimensions: int | None) -> int:
    if not all(text.strip() for text in texts):
        raise InvalidRequest("input: a text is empty", "leave it out")
    embedder = knowledge_base.models.ready_upkeep().embedder
    if dimensions not in (None, embedder.dimension):
        raise InvalidRequest(f"dimensions is {dimensions}", f"vectors of this model have {embedder.dimension}")
    counts = embedder.count_tokens(texts)
    for n, count in enumerate(counts):
        if count > embedder.max_tokens:
            raise InvalidRequest(
                f"input: text {n} has {count:,} tokens; the model reads {embedder.max_tokens:,}",
                "cut it into shorter pieces",
            )
    return sum(counts)


def _written(vector: Vectors, body: schemas.EmbeddingRequest) -> list[float] | str:
    if body.encoding_format == "base64":
        return base64.b64encode(vector.astype(np.dtype("<f4")).tobytes()).decode()
    numbers: list[float] = vector.tolist()
    return numbers
