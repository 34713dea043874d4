"""A completion as server-sent events: the chunks of one stream, and the answer that is not streamed."""

import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from kb.errors import KBError
from kb.values.answers import AnswerEvent
from kb.values.chat import Heartbeat
from server.http.openai import schemas
from server.http.openai.completion import Completion, Piece
from server.http.openai.errors import error_body

logger = logging.getLogger(__name__)

KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"


async def whole(
    events: AsyncGenerator[AnswerEvent, None], completion: Completion, model: str
) -> schemas.ChatCompletion:
    """Waits for all of a completion.

    Args:
        model: As in the request.
    """
    await completion.take_all(events)
    choice = schemas.Choice(message=completion.message(), finish_reason=completion.finish_reason)
    return schemas.ChatCompletion(
        id=_new_id(),
        created=int(time.time()),
        model=model,
        choices=[choice],
        usage=completion.usage,
        answered_by=completion.answered_by,
        instead=completion.instead,
    )


async def stream(
    events: AsyncGenerator[AnswerEvent, None], completion: Completion, model: str, *, include_usage: bool
) -> AsyncGenerator[bytes, None]:
    """Writes a completion as it comes; an error on the way becomes the last event.

    Args:
        model: As in the request.
    """
    chunks = _Chunks(model, include_usage=include_usage)
    try:
        async with aclosing(events):
            yield chunks.choice({"role": "assistant", "content": ""})
            async for event in events:
                if isinstance(event, Heartbeat):
                    yield KEEP_ALIVE
                for piece in completion.take(event):
                    yield chunks.piece(piece)
                if completion.is_over:
                    break
        yield chunks.end(completion)
        if include_usage:
            yield chunks.usage(completion)
        yield DONE
    except KBError as error:
        logger.warning("%s: %s", error.code, error.message)
        yield _written(error_body(error).model_dump())


class _Chunks:
    """The chunks of one stream."""

    def __init__(self, model: str, *, include_usage: bool) -> None:
        self._frame = {
            "id": _new_id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        self._no_usage = {"usage": None} if include_usage else {}

    def choice(self, delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _written(self._frame | {"choices": [choice]} | self._no_usage | more)

    def piece(self, piece: Piece) -> bytes:
        if piece.event:
            return self.choice({"content": ""}, event=piece.event)
        return self.choice({"content": piece.content} if piece.content else {"reasoning_content": piece.reasoning})

    def end(self, completion: Completion) -> bytes:
        sources = [source.model_dump(mode="json") for source in completion.annotations]
        delta = {"annotations": sources} if sources else {}
        who = {"answered_by": completion.answered_by, "instead": completion.instead}
        return self.choice(delta, completion.finish_reason, **who)

    def usage(self, completion: Completion) -> bytes:
        return _written(self._frame | {"choices": [], "usage": completion.usage.model_dump()})


def _new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _written(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
