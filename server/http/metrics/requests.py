"""How long requests take, by route and status, whatever stands between; pure ASGI, so that streams pass untouched."""

import time

from prometheus_client import CollectorRegistry, Histogram

from server.http.asgi import App, Message, Receive, Scope, Send

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300)
"""The first are those of the OpenTelemetry conventions for HTTP; an answer takes longer."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """Middleware that measures each request to the end of its response.

    Args:
        app: What answers.
    """

    def __init__(self, app: App, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "From a request to the end of its response.",
            ("http_request_method", "http_route", "http_response_status_code"),
            buckets=SECONDS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
            route = getattr(scope.get("route"), "path", "")  # a path that is no route may say anything
            self._seconds.labels(method, route, str(status or 499)).observe(time.perf_counter() - began)
