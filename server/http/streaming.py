"""A blocking generator of events → server-sent events, stopped soon after the client has gone.

The generator runs step by step in a worker thread. It never blocks for long: while the model reads a prompt it gives
heartbeats. One that tells a new place in the queue goes out as an event, the others as comments, which notice a closed
connection.
"""

import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread
from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from kb.errors import InvalidRequest, KBError
from kb.values.answers import (
    AnswerDelta,
    AnswerEvent,
    CheckedStatement,
    CitationFound,
    Done,
    PassagesFound,
    ReasoningDelta,
    Step,
    Verification,
)
from kb.values.chat import Heartbeat
from server.http import schemas

logger = logging.getLogger(__name__)

Event = TypeVar("Event")

AnyEvent = AnswerEvent | CheckedStatement | Verification

HEARTBEAT = b": working\n\n"


async def iterate(
    events: Generator[Event, None, None], stopping: threading.Event, threads: anyio.CapacityLimiter
) -> AsyncGenerator[Event, None]:
    """Steps through a blocking generator; closes it when the caller stops or is cancelled.

    Args:
        stopping: Set when the service ends.
        threads: In which questions wait and work, so that they leave some to what is quickly done.

    Raises:
        KBError: The service ends before the answer does.
    """
    turn = threading.Lock()

    def step() -> Event | None:
        with turn:
            return next(events, None)

    def close() -> None:
        with turn:  # a task that is cancelled does not wait for the step that its thread is in
            events.close()

    try:
        while (event := await anyio.to_thread.run_sync(step, limiter=threads)) is not None:
            if stopping.is_set():
                raise KBError("the service is being stopped", "start it again, and ask again")
            yield event
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(close)


@dataclass(frozen=True, slots=True)
class Steps:
    """How blocking generators are stepped through in a process.

    Attributes:
        stopping: Set when it ends.
        threads: In which they work.
    """

    stopping: threading.Event
    threads: anyio.CapacityLimiter

    def through(self, events: Generator[Event, None, None]) -> AsyncGenerator[Event, None]:
        """See `iterate`."""
        return iterate(events, self.stopping, self.threads)


async def connected(events: AsyncGenerator[Event, None], request: Request) -> AsyncGenerator[Event, None]:
    """Passes events on for as long as the client of a request that is not streamed is there.

    Raises:
        InvalidRequest: It has gone.
    """
    async with aclosing(events):
        async for event in events:
            if await request.is_disconnected():
                raise InvalidRequest("the client went away")
            yield event


async def begun(events: AsyncGenerator[AnswerEvent, None]) -> AsyncGenerator[AnswerEvent, None]:
    """Waits for the first sign of a model, so that one that is busy or not there is told by a status.

    Raises:
        KBError: There will be no answer.
    """
    first: list[AnswerEvent] = []
    try:
        while not first or isinstance(first[-1], PassagesFound):
            first.append(await anext(events))
    except BaseException:
        await events.aclose()
        raise

    async def all_events() -> AsyncGenerator[AnswerEvent, None]:
        async with aclosing(events):
            for event in first:
                yield event
            async for event in events:
                yield event

    return all_events()


def wants_stream(stream: bool, request: Request) -> bool:
    """Whether a client wants events: its body or its headers say so."""
    return stream or "text/event-stream" in request.headers.get("accept", "")


def event_stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    """Events that nobody on the way keeps or holds back."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def sse(
    events: Generator[AnyEvent, None, None], stopping: threading.Event, threads: anyio.CapacityLimiter
) -> AsyncGenerator[bytes, None]:
    """Writes events as `text/event-stream`; an error on the way becomes the last event."""
    try:
        async with aclosing(iterate(events, stopping, threads)) as stepping:
            place = 0
            async for event in stepping:
                if isinstance(event, Heartbeat) and event.place == place:
                    yield HEARTBEAT
                    continue
                if isinstance(event, Heartbeat):
                    place = event.place
                yield _written(*wire_event(event))
    except KBError as error:
        logger.warning("%s: %s", error.code, error.message)
        body = schemas.Error(code=error.code, message=error.message, hint=error.hint)
        yield _written("error", schemas.ErrorResponse(error=body))


def wire_event(event: AnyEvent) -> tuple[str, BaseModel]:
    """The name and body of an event."""
    match event:
        case Heartbeat():
            return "waiting", schemas.WaitingEvent(place=event.place)
        case PassagesFound():
            return "passages", schemas.PassagesEvent.model_validate(event)
        case Step():
            return "step", schemas.StepEvent.model_validate(event)
        case ReasoningDelta():
            return "reasoning", schemas.ReasoningEvent(text=event.text)
        case AnswerDelta():
            return "answer", schemas.AnswerEvent(text=event.text)
        case CitationFound():
            return "citation", schemas.Citation.model_validate(event.citation)
        case Done():
            return "done", schemas.Answer.model_validate(event.answer)
        case CheckedStatement():
            return "statement", schemas.CheckedStatement.model_validate(event)
        case Verification():
            return "done", schemas.Verification.model_validate(event)


def _written(name: str, body: BaseModel) -> bytes:
    return f"event: {name}\ndata: {body.model_dump_json()}\n\n".encode()
