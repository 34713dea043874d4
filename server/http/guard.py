"""Who may talk to the service: the checks on Host, Origin, token and size, and the headers of every response.

Pure ASGI, so that streams pass untouched. A web page of another site must not reach a service on loopback, neither by
a request of its own (Origin) nor by a name that it points here (Host).
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException
from fastapi.responses import JSONResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_COOKIE = "kb_token"  # holds a hash of the token; for links, which cannot send a header
OPEN_PATHS = ("/", "/healthz", "/readyz")
OPEN_PREFIX = "/static/"

MAX_BODY_BYTES = 1_000_000
"""Of a request that is no upload."""

FILE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}
"""Of an original file: a policy for its content would keep browsers from showing a PDF."""

HEADERS = {
    b"content-security-policy": b"default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    **FILE_HEADERS,
}


_REFUSAL_HEADERS = {401: {"www-authenticate": "Bearer"}, 413: {"connection": "close"}}  # the rest is not read


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Middleware that refuses what should not come in.

    Args:
        app: What it guards.
        hosts: Host names, without port, by which the service may be called; empty: any, for services with a token.
        token: Empty: none is asked for.
        max_upload_bytes: Limit for the body of an upload.
    """

    def __init__(self, app: App, hosts: frozenset[str], token: str, max_upload_bytes: int) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token.encode()
        self._cookie = hashlib.sha256(self._token).hexdigest()
        self._max_upload_bytes = max_upload_bytes

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
            cookie = f"{TOKEN_COOKIE}={self._cookie}; HttpOnly; SameSite=Strict; Path=/"
            send = _with_headers(send, {b"set-cookie": cookie.encode()})
        await self._app(scope, _limited(receive, limit), send)

    def _refusal(self, scope: Scope, headers: Mapping[str, str], limit: int) -> JSONResponse | None:
        host = headers.get("host", "")
        if self._hosts and _host_name(host) not in self._hosts:
            return refuse(
                403, "foreign_host", f"this service is not called {host!r}", "use its own address, or set allowed_hosts"
            )
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return refuse(403, "foreign_origin", f"pages of {origin} may not use this service", "open its own page")
        if self._token and not self._is_open(scope) and not self._has_token(headers):
            return refuse(
                401, "no_token", "a token is needed", "send `Authorization: Bearer …` with the value of KB_TOKEN"
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return refuse(413, "too_large", f"the request is larger than {limit:,} bytes", "send less at a time")
        return None

    def _is_open(self, scope: Scope) -> bool:
        return scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_PREFIX)

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        kind, _, sent = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return hmac.compare_digest(sent.strip().encode("latin-1"), self._token)
        return hmac.compare_digest(_cookie_value(headers.get("cookie", "")).encode(), self._cookie.encode())


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
        morsel = SimpleCookie(header).get(TOKEN_COOKIE)
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
