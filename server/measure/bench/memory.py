"""How much memory a process takes, with its children. Pages that they share count for each of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from server.client.polling import polling

SAMPLE_SECONDS = 0.2


def resident_bytes(pid: int | None) -> int:
    """What a process and all below it have resident; None: this process."""
    total = 0
    try:
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            total += int(member.memory_info().rss)
    except psutil.NoSuchProcess:
        pass  # a child ended while it was looked at; the next sample sees what is left
    return total


@contextmanager
def peak_bytes(pid: int) -> Iterator[Callable[[], int]]:
    """Looks at a process while the block runs; what it gives tells the most that was resident so far."""
    samples = [resident_bytes(pid)]

    def look() -> None:
        samples.append(max(samples.pop(), resident_bytes(pid)))

    with polling(look, SAMPLE_SECONDS):
        yield lambda: max(samples, default=0)
