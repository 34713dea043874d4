"""Each request has an id: its own if it brings one, else one of ours. It is in the response, the log and the traces."""

import re
import secrets

from kb.observing import request_id
from server.http.asgi import App, Message, Receive, Scope, Send

HEADER = b"x-request-id"
_SOUND = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Identified:
    """Middleware that gives each request its id; pure ASGI, so that streams pass untouched.

    Args:
        app: What answers.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        brought = dict(scope["headers"]).get(HEADER, b"")
        name = brought if _SOUND.fullmatch(brought) else secrets.token_hex(8).encode()
        request_id.set(name.decode())

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (HEADER, name)]
            await send(message)

        await self._app(scope, receive, sending)
