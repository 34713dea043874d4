"""A completion in the shape of `/v1/responses`: whole, or as its events, from the same pieces as a chat."""

import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from kb.errors import KBError
from kb.values.answers import AnswerEvent
from kb.values.chat import Heartbeat
from server.http.openai.chunks import KEEP_ALIVE
from server.http.openai.completion import Completion, Piece
from server.http.openai.errors import error_body
from server.http.openai.response_schemas import (
    Incomplete,
    OutputMessage,
    OutputReasoning,
    OutputText,
    OutputTokens,
    Response,
    ResponseUsage,
    SummaryText,
    UrlCitation,
)

logger = logging.getLogger(__name__)


class ResponseWriter:
    """One response.

    Args:
        model: As in the request.
    """

    def __init__(self, completion: Completion, model: str) -> None:
        self._completion = completion
        self._blank = Response(
            id=f"resp_{secrets.token_hex(12)}",
            created_at=int(time.time()),
            status="in_progress",
            model=model,
            output=[],
        )
        self._reasoning_id, self._message_id = f"rs_{secrets.token_hex(12)}", f"msg_{secrets.token_hex(12)}"
        self._part = ""
        self._sequence = 0

    async def whole(self, events: AsyncGenerator[AnswerEvent, None]) -> Response:
        """Waits for all of it."""
        await self._completion.take_all(events)
        return self._response()

    async def stream(self, events: AsyncGenerator[AnswerEvent, None]) -> AsyncGenerator[bytes, None]:
        """Writes it as it comes; an error on the way becomes the last event."""
        try:
            async with aclosing(events):
                yield self._event("response.created", response=self._blank.model_dump(mode="json"))
                yield self._event("response.in_progress", response=self._blank.model_dump(mode="json"))
                async for event in events:
                    if isinstance(event, Heartbeat):
                        yield KEEP_ALIVE
                    for piece in self._completion.take(event):
                        for line in self._turn_to("reasoning" if piece.reasoning else "message"):
                            yield line
                        yield self._delta(piece)
                    if self._completion.is_over:
                        break
            for line in (*self._turn_to("message"), *self._ended("message")):
                yield line
            response = self._response()
            yield self._event(f"response.{response.status}", response=response.model_dump(mode="json"))
        except KBError as error:
            logger.warning("%s: %s", error.code, error.message)
            body = error_body(error).error
            yield self._event("error", code=body.code, message=body.message, param=body.param)

    def _turn_to(self, part: str) -> Iterator[bytes]:
        """Ends what is being written and begins another part, unless it is that part already."""
        if part != self._part:
            yield from self._ended(self._part)
            self._part = part
            yield from self._begun(part)

    def _begun(self, part: str) -> Iterator[bytes]:
        if part == "reasoning":
            item: Any = OutputReasoning(id=self._reasoning_id, summary=[])
            yield self._event("response.output_item.added", output_index=0, item=item.model_dump(mode="json"))
            part_began = SummaryText(text="").model_dump(mode="json")
            yield self._event("response.reasoning_summary_part.added", **self._where("reasoning"), part=part_began)
        else:
            item = OutputMessage(id=self._message_id, status="in_progress", content=[])
            index = self._where("message")["output_index"]
            yield self._event("response.output_item.added", output_index=index, item=item.model_dump(mode="json"))
            began = OutputText(text="").model_dump(mode="json")
            yield self._event("response.content_part.added", **self._where("message"), part=began)

    def _delta(self, piece: Piece) -> bytes:
        if piece.reasoning:
            return self._event(
                "response.reasoning_summary_text.delta", **self._where("reasoning"), delta=piece.reasoning
            )
        return self._event("response.output_text.delta", **self._where("message"), delta=piece.content, logprobs=[])

    def _ended(self, part: str) -> Iterator[bytes]:
        where = self._where(part) if part else {}
        if part == "reasoning":
            item = self._thought()
            (summary,) = item.summary
            yield self._event("response.reasoning_summary_text.done", **where, text=summary.text)
            yield self._event("response.reasoning_summary_part.done", **where, part=summary.model_dump(mode="json"))
            yield self._item_done(where, item)
        elif part == "message":
            message = self._message()
            (text,) = message.content
            for index, annotation in enumerate(text.annotations):
                shown = {"annotation_index": index, "annotation": annotation.model_dump(mode="json")}
                yield self._event("response.output_text.annotation.added", **where, **shown)
            yield self._event("response.output_text.done", **where, text=text.text, logprobs=[])
            yield self._event("response.content_part.done", **where, part=text.model_dump(mode="json"))
            yield self._item_done(where, message)

    def _item_done(self, where: dict[str, Any], item: OutputMessage | OutputReasoning) -> bytes:
        index = where["output_index"]
        return self._event("response.output_item.done", output_index=index, item=item.model_dump(mode="json"))

    def _where(self, part: str) -> dict[str, Any]:
        if part == "reasoning":
            return {"item_id": self._reasoning_id, "output_index": 0, "summary_index": 0}
        return {"item_id": self._message_id, "output_index": int(bool(self._completion.reasoning)), "content_index": 0}

    def _event(self, name: str, **fields: Any) -> bytes:
        body = {"type": name, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()

    def _thought(self) -> OutputReasoning:
        return OutputReasoning(id=self._reasoning_id, summary=[SummaryText(text=self._completion.reasoning)])

    def _message(self) -> OutputMessage:
        cited = [
            UrlCitation.model_validate(annotation.url_citation.model_dump())
            for annotation in self._completion.annotations
        ]
        text = OutputText(text=self._completion.content, annotations=cited)
        return OutputMessage(id=self._message_id, content=[text])

    def _response(self) -> Response:
        completion, usage = self._completion, self._completion.usage
        is_whole = completion.finish_reason == "stop"
        thought = [self._thought()] if completion.reasoning else []
        return self._blank.model_copy(
            update={
                "status": "completed" if is_whole else "incomplete",
                "incomplete_details": None if is_whole else Incomplete(),
                "output": [*thought, self._message()],
                "answered_by": completion.answered_by,
                "usage": ResponseUsage(
                    input_tokens=usage.prompt_tokens,
                    output_tokens=usage.completion_tokens,
                    output_tokens_details=OutputTokens(
                        reasoning_tokens=usage.completion_tokens_details.reasoning_tokens
                    ),
                    total_tokens=usage.total_tokens,
                ),
            }
        )
