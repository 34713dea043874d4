"""Who may talk to the service: the checks on Host, Origin, token and size, and the headers of every response.

Pure ASGI, so that streams pass untouched. A web page of another site must not reach a service on loopback, neither by
a request of its own (Origin) nor by a name that it points here (Host).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException
from fastapi.responses import JSONResponse

from server.http.access.doors import CLIENT, Doors
from server.http.access.rights import need_of
from server.http.addresses import is_within
from server.http.asgi import App, Message, Receive, Scope, Send
from server.http.connections import MAX_HEADER_BYTES
from server.http.refusals import refuse
from server.settings import Network

METRICS_PATH = "/metrics"

MAX_BODY_BYTES = 1_000_000
"""Of a request that is no upload."""

FILE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": b"frame-ancestors 'none'",
}
"""Of an original file: a policy for its content would keep browsers from showing a PDF."""

HEADERS = FILE_HEADERS | {
    b"content-security-policy": b"default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}

_ONCE = ("authorization", "content-length", "host", "origin")


class Guard:
    """Middleware that refuses what should not come in.

    Args:
        app: What it guards.
        hosts: Host names, without port, by which the service may be called; empty: any, for services with a token.
        doors: Recognise clients.
        max_upload_bytes: Limit for the body of an upload.
        metrics_from: Who may read the metrics without a token.
    """

    def __init__(
        self,
        app: App,
        hosts: frozenset[str],
        doors: Doors,
        max_upload_bytes: int,
        metrics_from: Collection[Network] = (),
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._doors = doors
        self._max_upload_bytes = max_upload_bytes
        self._metrics_from = metrics_from

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks a request and passes it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        limit = self._max_upload_bytes if _is_upload(scope) else MAX_BODY_BYTES
        send = _with_headers(send, FILE_HEADERS if scope["path"].endswith("/file") else HEADERS)
        refusal = self._refusal(scope, headers, limit)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _limited(receive, limit), send)

    def _refusal(self, scope: Scope, headers: Mapping[str, str], limit: int) -> JSONResponse | None:
        sent = Counter(name.decode("latin-1") for name, _ in scope["headers"])
        if twice := [name for name in _ONCE if sent[name] > 1]:
            return refuse(400, "invalid_request", f"the header {twice[0]} is sent more than once", "send it once")
        if _header_bytes(scope) > MAX_HEADER_BYTES:  # what comes in one piece is not held off before
            message = f"the headers are longer than {MAX_HEADER_BYTES:,} bytes"
            return refuse(431, "headers_too_large", message, "send fewer or shorter headers")
        host = headers.get("host", "")
        if self._hosts and _host_name(host) not in self._hosts:
            return refuse(
                403, "foreign_host", f"this service is not called {host!r}", "use its own address, or set allowed_hosts"
            )
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return refuse(403, "foreign_origin", f"pages of {origin} may not use this service", "open its own page")
        if self._doors.are_closed and (refusal := self._stranger(scope, headers)):
            return refusal
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return refuse(413, "too_large", f"the request is larger than {limit:,} bytes", "send less at a time")
        return None

    def _stranger(self, scope: Scope, headers: Mapping[str, str]) -> JSONResponse | None:
        """Refuses who is not known, or may not do this; notes who it is."""
        need = need_of(scope["method"], scope["path"])
        client = scope[CLIENT] = self._doors.client(scope, headers)
        if need == "none" or self._may_measure(scope):
            return None
        if client is None:
            hint = "send `Authorization: Bearer …` with the value of KB_TOKEN, or one from `kb token add`"
            return refuse(401, "no_token", "a token is needed", hint)
        if not client.may(need):
            message = f"{client.name} may not do this: it needs the right to {need}"
            return refuse(403, "no_right", message, "use another token; `kb token add` makes one")
        if client.by_cookie and scope["method"] not in ("GET", "HEAD") and "origin" not in headers:
            message = (
                "a session changes something only from a page of this service"  # which always says where it is from
            )
            return refuse(403, "no_origin", message, "send a token instead of the cookie")
        return None

    def _may_measure(self, scope: Scope) -> bool:
        return scope["path"] == METRICS_PATH and is_within((scope.get("client") or ("",))[0], self._metrics_from)


def _header_bytes(scope: Scope) -> int:
    """Of the request line and all headers together, but for what always stands between."""
    in_line = len(scope["path"]) + len(scope.get("query_string", b""))
    return in_line + sum(len(name) + len(value) for name, value in scope["headers"])


def _is_upload(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["path"] == "/documents")


def _host_name(host: str) -> str:
    try:
        called = urlsplit(f"//{host}")
        name, _ = called.hostname, called.port
    except ValueError:  # square brackets that hold no address, or a port that is no number
        return ""
    return (name or "").lower()


def _with_headers(send: Send, headers: Mapping[bytes, bytes]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers.items()]
        await send(message)

    return sending


def _limited(receive: Receive, limit: int) -> Receive:
    received = 0

    async def receiving() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, f"the request is larger than {limit:,} bytes")
        return message

    return receiving
