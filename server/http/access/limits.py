"""How much one client may ask for, so that others have their turn, and how much all may upload at the same time.

A client is a token, a user, or else an address. Who works on the machine itself, and need not say who it is, has no
limits of its own. Invariant: what is kept of clients is bounded.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import HTTPException

from server.http.access.doors import CLIENT
from server.http.access.rights import need_of
from server.http.addresses import is_loopback
from server.http.asgi import App, Message, Receive, Scope, Send
from server.http.refusals import refuse

MINUTE, HOUR = 60.0, 3600.0
UPLOAD_RETRY_SECONDS = 10.0
MAX_CLIENTS = 10_000


@dataclass(slots=True)
class _Use:
    """What a client has used, in this minute and this hour."""

    minute: float = 0.0
    requests: int = 0
    hour: float = 0.0
    uploaded_bytes: int = 0
    open: int = 0


class Limited:
    """Middleware that refuses what is too much, for one client or for all; pure ASGI, for one event loop.

    Args:
        app: What answers.
        requests_a_minute: 0: any number.
        open_requests: Answered at the same time, streams among them; 0: any number.
        upload_bytes_an_hour: 0: any number.
        uploading_bytes: Of all clients, in uploads that have not ended; 0: any number.
        clock: Gives seconds.
    """

    def __init__(
        self,
        app: App,
        requests_a_minute: int,
        open_requests: int,
        upload_bytes_an_hour: int,
        uploading_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._requests_a_minute = requests_a_minute
        self._open_requests = open_requests
        self._upload_bytes_an_hour = upload_bytes_an_hour
        self._uploads = _Uploads(uploading_bytes)
        self._clock = clock
        self._uses: OrderedDict[str, _Use] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _name(scope)
        use = self._use_of(name) if name else _Use()
        if over := (self._over(use, scope) if name else None) or self._uploads.over(scope):
            what, hint, seconds = over
            response = refuse(429, "too_much", what, hint)
            response.headers["retry-after"] = str(max(1, round(seconds)))
            await response(scope, receive, send)
            return
        use.requests += 1
        use.open += 1
        try:
            if _is_upload(scope):
                await self._uploads.take(self._app, scope, receive, send, use)
            else:
                await self._app(scope, receive, send)
        finally:
            use.open -= 1

    def _use_of(self, name: str) -> _Use:
        now = self._clock()
        use = self._uses.setdefault(name, _Use(minute=now, hour=now))
        self._uses.move_to_end(name)
        if now - use.minute >= MINUTE:
            use.minute, use.requests = now, 0
        if now - use.hour >= HOUR:
            use.hour, use.uploaded_bytes = now, 0
        if len(self._uses) > MAX_CLIENTS:
            self._uses.popitem(last=False)
        return use

    def _over(self, use: _Use, scope: Scope) -> tuple[str, str, float] | None:
        """What is too much, what to do, and in how many seconds it is not any more."""
        now = self._clock()
        if 0 < self._requests_a_minute <= use.requests:
            said = f"more than {self._requests_a_minute:,} requests in a minute"
            return said, "wait, or raise KB_CLIENT_REQUESTS", use.minute + MINUTE - now
        if 0 < self._open_requests <= use.open:
            said = f"{use.open:,} requests of yours are being answered already"
            return said, "wait for one of them, or raise KB_CLIENT_OPEN", 1
        if _is_upload(scope) and 0 < self._upload_bytes_an_hour < use.uploaded_bytes + _declared_bytes(scope):
            said = f"more than {self._upload_bytes_an_hour:,} bytes uploaded in an hour"
            return (
                said,
                "wait, put the files into the folder yourself, or raise KB_CLIENT_UPLOAD_BYTES",
                (use.hour + HOUR - now),
            )
        return None


class _Uploads:
    """What all clients together are uploading; it lies in memory or on the disk until it is placed."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0

    def over(self, scope: Scope) -> tuple[str, str, float] | None:
        """As `Limited._over`; one that is larger than all may be is let in alone."""
        if _is_upload(scope) and self._bytes and 0 < self._most_bytes < self._bytes + _declared_bytes(scope):
            hint = "wait for the others to end, or raise KB_UPLOADING_BYTES"
            return f"more than {self._most_bytes:,} bytes would be on their way", hint, UPLOAD_RETRY_SECONDS
        return None

    async def take(self, app: App, scope: Scope, receive: Receive, send: Send, use: _Use) -> None:
        """Passes an upload on, and counts what it has said that it will send, or what it sends beyond that."""
        held, received = _declared_bytes(scope), 0
        self._bytes += held

        async def receiving() -> Message:
            nonlocal held, received
            message = await receive()
            size = len(message.get("body", b""))
            use.uploaded_bytes += size
            received += size
            if received > held:  # it has not said how long it is
                self._bytes += received - held
                held = received
                if self._bytes > held and 0 < self._most_bytes < self._bytes:
                    raise HTTPException(429, f"more than {self._most_bytes:,} bytes are on their way")
            return message

        try:
            await app(scope, receiving, send)
        finally:
            self._bytes -= held


def _name(scope: Scope) -> str:
    """Whose limits count; empty: none do."""
    if need_of(scope["method"], scope["path"]) == "none":
        return ""
    if client := scope.get(CLIENT):
        return f"client {client.name}"
    address = (scope.get("client") or ("",))[0]
    return "" if is_loopback(address) else f"address {address}"


def _is_upload(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["path"] == "/documents")


def _declared_bytes(scope: Scope) -> int:
    return int(dict(scope["headers"]).get(b"content-length", b"0"))  # the guard has seen that it is a number
