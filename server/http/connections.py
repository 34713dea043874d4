"""How many connections there may be, and how long a client may take to say what it wants.

h11 reads the requests, as it can be told how long their headers may be. Invariant: a client that says nothing, or
does not read what it is told, holds up no other: where there are too many connections, the one that has been so for
longest goes.
"""

import asyncio
import json
import logging
import sys
import time
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 256

WANTED_FILES = 4 * MAX_CONNECTIONS
"""Open at a time: a connection and what it is sent take two, the rest is for the index and the models."""

MAX_HEADER_BYTES = 32_768
"""Of the request line and all headers together."""

REQUEST_SECONDS = 15.0
"""For a whole request, from its first byte or that of the connection."""

UPLOAD_SILENCE_SECONDS = 60.0
"""How long an upload may pause."""

_LOG_SECONDS = 10.0


def connections_allowed() -> int:
    """How many connections leave enough files to the rest of the process; it may open more from now on, if it can."""
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < WANTED_FILES:
        soft = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft // 4)


class Limits:
    """What is the same for all connections of a server.

    Attributes:
        connections: How many there may be.
        request_seconds: See `REQUEST_SECONDS`.
        upload_silence_seconds: See `UPLOAD_SILENCE_SECONDS`.
    """

    def __init__(
        self,
        connections: int = MAX_CONNECTIONS,
        request_seconds: float = REQUEST_SECONDS,
        upload_silence_seconds: float = UPLOAD_SILENCE_SECONDS,
    ) -> None:
        self.connections = connections
        self.request_seconds = request_seconds
        self.upload_silence_seconds = upload_silence_seconds
        self._logged: dict[str, float] = {}

    def log(self, what: str) -> None:
        """Says that a limit was reached; of many such lines only one now and then."""
        now = time.monotonic()
        if now - self._logged.get(what, -_LOG_SECONDS) >= _LOG_SECONDS:
            self._logged[what] = now
            logger.warning("%s", what)


class BoundedProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *, limits: Limits, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self.silent_since = 0.0

    @property
    def is_silent(self) -> bool:
        """Whether nothing is being done for it, or it does not take what was done."""
        return self._is_idle or self.flow.write_paused

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a connection in, or refuses it."""
        super().connection_made(transport)
        self.silent_since = self.loop.time()
        if len(self.connections) > self._limits.connections and not self._make_room():
            self.refuse(503, "too_many_connections", "too many connections are open", "close some, or try again soon")
            return
        self._wait(self._limits.request_seconds)

    def data_received(self, data: bytes) -> None:
        """Reads on, and looks at the clock."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.IDLE:
            if self._deadline is None:
                self._wait(self._limits.request_seconds)
        elif state is h11.SEND_BODY and self._is_upload():
            self._stop_waiting()
            self._wait(self._limits.upload_silence_seconds)
        elif state is not h11.SEND_BODY:
            self._stop_waiting()

    def pause_writing(self) -> None:
        """Notes since when it does not read."""
        self.silent_since = self.loop.time()
        super().pause_writing()

    def on_response_complete(self) -> None:
        """Notes since when it is silent."""
        self.silent_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, or one with too long headers."""
        if len(self.conn.trailing_data[0]) > MAX_HEADER_BYTES:
            message = f"the headers are longer than {MAX_HEADER_BYTES:,} bytes"
            self.refuse(431, "headers_too_large", message, "send fewer or shorter headers")
        else:
            self.refuse(400, "invalid_request", "this is no valid HTTP request", "send each header once, as HTTP/1.1")

    def refuse(self, status: int, code: str, message: str, hint: str) -> None:
        """Answers in the place of the service, and closes the connection."""
        self._limits.log(f"connections are refused: {message}")
        body = json.dumps({"error": {"code": code, "message": message, "hint": hint}}).encode()
        self.transport.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        self.transport.close()

    def _make_room(self) -> bool:
        """Closes the connection that has been silent for longest, if one is."""
        others = [each for each in self.connections if each is not self and isinstance(each, BoundedProtocol)]
        silent = [each for each in others if each.is_silent]
        if not silent:
            return False
        self._limits.log(f"more than {self._limits.connections} connections: silent ones are closed")
        oldest = min(silent, key=lambda each: each.silent_since)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _wait(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._expire)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self._deadline = None
        if self._is_idle or not self.cycle.response_started:
            self.refuse(408, "request_too_slow", "the request did not come in time", "send it at once")
        else:
            self._limits.log("connections are closed: their requests come too slowly")
            self.transport.abort()

    def _is_upload(self) -> bool:
        return bool(self.scope) and (self.scope["method"], self.scope["path"]) == ("POST", "/documents")
