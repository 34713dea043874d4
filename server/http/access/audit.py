"""The audit log: who has changed something, when, and how it ended; `audit.jsonl` in the data directory.

Invariant: neither questions nor texts stand in it, and nobody but the user of the service may read it.
"""

import datetime
import json
import logging
import os
from pathlib import Path

from kb.observing import request_id
from server.http.access.doors import CLIENT
from server.http.access.rights import need_of
from server.http.asgi import App, Message, Receive, Scope, Send

FILE_NAME = "audit.jsonl"
MAX_BYTES = 10_000_000
"""A longer file is set aside, once."""

logger = logging.getLogger(__name__)


class Audited:
    """Middleware that writes down each request that needs the right to write or more; pure ASGI.

    Args:
        app: What answers.
        home: The data directory.
    """

    def __init__(self, app: App, home: Path) -> None:
        self._app = app
        self._path = home / FILE_NAME

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http" or need_of(scope["method"], scope["path"]) not in ("write", "admin"):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._write(scope, message["status"])
            await send(message)

        await self._app(scope, receive, sending)

    def _write(self, scope: Scope, status: int) -> None:
        client = scope.get(CLIENT)
        entry = {
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "who": client.name if client else "",
            "address": (scope.get("client") or ("",))[0],
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "request_id": request_id.get(),
        }
        try:
            if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
                self._path.replace(self._path.with_suffix(".jsonl.1"))
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:  # a full disk, say: the log of the service has it then
            logger.error("the audit log cannot be written (%s): %s", error.strerror, entry)
