"""Which threads requests work in: what may take long has threads of its own, so that it holds up nothing else."""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from kb.errors import KBError

Result = TypeVar("Result")

MAX_WAITING = 256
"""For threads of one kind: as many as there are connections; of more, the clients have left."""


class Busy(KBError):
    """Too many clients want the same at the same time."""

    code = "busy"
    retry_after_seconds = 10


class Threads:
    """How many threads there are for each kind of work.

    Attributes:
        questions: In which questions wait and work.
        writes: For what changes the index or a folder, and may wait until indexing has written.
        pages: For drawing pages and finding places on them.
        ahead: In which sources of questions are found that are still being written; few, so that they hold up nothing.
        state: For telling the state, which is never slow.
    """

    def __init__(self) -> None:
        self.questions = anyio.CapacityLimiter(24)
        self.writes = anyio.CapacityLimiter(8)
        self.pages = anyio.CapacityLimiter(6)
        self.ahead = anyio.CapacityLimiter(2)
        self.state = anyio.CapacityLimiter(4)


async def in_thread(limiter: anyio.CapacityLimiter, work: Callable[[], Result]) -> Result:
    """Does blocking work in a thread of its kind; until one is free, no thread waits.

    Raises:
        Busy: Too many wait already.
    """
    if limiter.statistics().tasks_waiting >= MAX_WAITING:
        raise Busy(f"{MAX_WAITING} requests of this kind wait already", "try again in a moment")
    return await anyio.to_thread.run_sync(work, limiter=limiter)
