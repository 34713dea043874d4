"""`GET /events`: tells those who listen what has changed, instead of being asked again and again.

One look at the state serves all listeners, and nobody looks while nobody listens.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable

import anyio
import anyio.to_thread

from kb.errors import KBError
from server.http import schemas
from server.http.threads import Busy

logger = logging.getLogger(__name__)

MAX_LISTENERS = 32
LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0


class StatusFeed:
    """The state of the service as a stream, for any number of listeners of one event loop.

    Args:
        look: Gives the state; called in a worker thread, twice a second at the most.
        is_over: Whether the service is being stopped.
        threads: In which it looks.
    """

    def __init__(
        self, look: Callable[[], schemas.Status], is_over: Callable[[], bool], threads: anyio.CapacityLimiter
    ) -> None:
        self._threads = threads
        self._look = look
        self._is_over = is_over
        self._changed = asyncio.Condition()
        self._listeners = 0
        self._status: schemas.Status | None = None
        self._watcher: asyncio.Task[None] | None = None

    def check_room(self) -> None:
        """Refuses one listener too many.

        Raises:
            Busy: There is no room.
        """
        if self._listeners >= MAX_LISTENERS:
            raise Busy(f"{MAX_LISTENERS} clients listen already", "close some, or ask GET /status")

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events: `status` at once and whenever it changes, `documents` when their list may have changed.

        While nothing changes, a comment now and then notices a client that has gone.
        """
        self._listeners += 1
        try:
            if self._watcher is None or self._watcher.done():
                self._status = None
                self._watcher = asyncio.create_task(self._watch())
            seen: schemas.Status | None = None
            while not self._is_over():
                status = await self._next(seen)
                if status is None:
                    yield b": nothing new\n\n"
                    continue
                yield f"event: status\ndata: {status.model_dump_json()}\n\n".encode()
                if seen is not None and _files(seen) != _files(status):
                    yield b"event: documents\ndata: {}\n\n"
                seen = status
        finally:
            self._listeners -= 1

    async def _next(self, seen: schemas.Status | None) -> schemas.Status | None:
        """The first state that is another than the one seen; None if there is none for a while, or no more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self._status != seen or self._is_over())
        return self._status if self._status != seen else None

    async def _watch(self) -> None:
        while self._listeners and not self._is_over():
            try:
                status = await anyio.to_thread.run_sync(self._look, limiter=self._threads)
            except KBError as error:  # a full disk, say: another look may tell more in a moment
                logger.warning("%s: %s", error.code, error.message)
            else:
                await self._tell(status)
            await asyncio.sleep(LOOK_SECONDS)
        async with self._changed:
            self._changed.notify_all()

    async def _tell(self, status: schemas.Status) -> None:
        if status != self._status:
            async with self._changed:
                self._status = status
                self._changed.notify_all()


def _files(status: schemas.Status) -> object:
    """What the list of documents depends on."""
    index = status.index
    return status.documents, status.chunks, status.failures, index.pending, index.current, index.last_sync
