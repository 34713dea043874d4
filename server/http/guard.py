"""Who may talk to the service: the checks on Host, Origin, token and size, and the headers of every response.

Pure ASGI, so that streams pass untouched. A web page of another site must not reach a service on loopback, neither by
a request of its own (Origin) nor by a name that it points here (Host).
"""

import hmac
import re
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException
from fastapi.responses import JSONResponse

from server.http.addresses import is_within
from server.settings import Network

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SESSION_COOKIE = "kb_files"
"""Opens original files and pictures of their pages, and nothing else, for links and pictures cannot send a header. A
cookie goes to every port of a host, so it holds neither the token nor anything that is made of it."""

SESSION_SECONDS = 3600

OPEN_PATHS = ("/", "/healthz", "/readyz")
OPEN_PREFIX = "/static/"
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

_FILE = re.compile(r"/documents/[^/]+/(?:file|pages/\d+)")
_ONCE = ("authorization", "content-length", "host", "origin")
_REFUSAL_HEADERS = {401: {"www-authenticate": "Bearer"}, 413: {"connection": "close"}}  # the rest is not read


class Guard:
    """Middleware that refuses what should not come in.

    Args:
        app: What it guards.
        hosts: Host names, without port, by which the service may be called; empty: any, for services with a token.
        token: Empty: none is asked for.
        max_upload_bytes: Limit for the body of an upload.
        metrics_from: Who may read the metrics without the token.
        session_seconds: How long links to files open without the token.
    """

    def __init__(
        self,
        app: App,
        hosts: frozenset[str],
        token: str,
        max_upload_bytes: int,
        metrics_from: Collection[Network] = (),
        session_seconds: int = SESSION_SECONDS,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token.encode()
        self._session_key = secrets.token_bytes(32)
        self._max_upload_bytes = max_upload_bytes
        self._metrics_from = metrics_from
        self._session_seconds = session_seconds

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
        if self._token and "authorization" in headers and self._has_token(headers):
            secure = "; Secure" if scope["scheme"] == "https" else ""
            attributes = f"Path=/documents; Max-Age={self._session_seconds}; HttpOnly; SameSite=Strict{secure}"
            send = _with_headers(send, {b"set-cookie": f"{SESSION_COOKIE}={self._session()}; {attributes}".encode()})
        await self._app(scope, _limited(receive, limit), send)

    def _refusal(self, scope: Scope, headers: Mapping[str, str], limit: int) -> JSONResponse | None:
        sent = Counter(name.decode("latin-1") for name, _ in scope["headers"])
        if twice := [name for name in _ONCE if sent[name] > 1]:
            return refuse(400, "invalid_request", f"the header {twice[0]} is sent more than once", "send it once")
        host = headers.get("host", "")
        if self._hosts and _host_name(host) not in self._hosts:
            return refuse(
                403, "foreign_host", f"this service is not called {host!r}", "use its own address, or set allowed_hosts"
            )
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return refuse(403, "foreign_origin", f"pages of {origin} may not use this service", "open its own page")
        if self._token and not self._is_open(scope) and not self._may_enter(scope, headers):
            return refuse(
                401, "no_token", "a token is needed", "send `Authorization: Bearer …` with the value of KB_TOKEN"
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return refuse(413, "too_large", f"the request is larger than {limit:,} bytes", "send less at a time")
        return None

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        if path == METRICS_PATH:
            return is_within((scope.get("client") or ("",))[0], self._metrics_from)
        return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return hmac.compare_digest(sent.strip().encode("latin-1"), self._token)
        return False

    def _may_enter(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        if "authorization" in headers or scope["method"] not in ("GET", "HEAD") or not _FILE.fullmatch(scope["path"]):
            return self._has_token(headers)
        return self._is_session(_cookie_value(headers.get("cookie", "")))

    def _session(self) -> str:
        """A value that nobody else can make: when it ends, and a signature with a key that lives in this process."""
        return self._signed(str(int(time.time()) + self._session_seconds))

    def _signed(self, end: str) -> str:
        return f"{end}.{hmac.digest(self._session_key, end.encode(), 'sha256').hex()}"

    def _is_session(self, value: str) -> bool:
        end = value.partition(".")[0]
        is_ours = hmac.compare_digest(value.encode(), self._signed(end).encode())
        return is_ours and int(end) > time.time()


def refuse(status: int, code: str, message: str, hint: str) -> JSONResponse:
    """The response to a request that is not passed on."""
    headers = _REFUSAL_HEADERS.get(status)
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)


def _is_upload(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["path"] == "/documents")


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # square brackets that hold no address
        return ""


def _cookie_value(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


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
