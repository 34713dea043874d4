"""What proxies say of a request: whom it comes from, and by which protocol; believed of those that are named."""

from collections.abc import Collection

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from server.http.access.doors import PEER
from server.http.asgi import App, Receive, Scope, Send
from server.settings import Network


class Proxied:
    """Middleware that notes who has connected, and puts in its place whom a proxy names; pure ASGI.

    Args:
        app: What answers.
        proxies: Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; empty: those on this machine.
    """

    def __init__(self, app: App, proxies: Collection[Network]) -> None:
        trusted = [str(network) for network in proxies] or ["127.0.0.1", "::1"]
        self._app = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        scope[PEER] = (scope.get("client") or ("",))[0]
        await self._app(scope, receive, send)  # type: ignore[arg-type]
