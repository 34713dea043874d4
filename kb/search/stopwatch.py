"""Where the time of a call goes, by parts that it names itself. Costs next to nothing where nobody measures.

Knows nothing about what is measured. Measurements of different threads do not meet; one within another counts for both.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_seconds: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextmanager
def part(name: str) -> Iterator[None]:
    """Counts the time of the block for a part; parts do not overlap."""
    seconds = _seconds.get()
    if seconds is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Measures the parts of what this thread does in the block.

    Yields:
        Seconds by part, filled as the parts end.
    """
    seconds: dict[str, float] = {}
    around, token = _seconds.get(), _seconds.set(seconds)
    try:
        yield seconds
    finally:
        _seconds.reset(token)
        if around is not None:
            for name, spent in seconds.items():
                around[name] = around.get(name, 0.0) + spent
