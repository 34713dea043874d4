"""Looks at something time and again while other work goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from kb.errors import KBError

POLL_SECONDS = 0.3


@contextmanager
def polling(look: Callable[[], None], every_seconds: float = POLL_SECONDS) -> Iterator[None]:
    """Calls a function every now and then, in another thread, while the block runs.

    The work stays in the caller's thread, where Ctrl+C ends it at once.

    Args:
        look: A `KBError` of it is passed over: if it matters, the work fails too.
    """
    stop = threading.Event()

    def poll() -> None:
        while not stop.wait(every_seconds):
            with suppress(KBError):
                look()

    thread = threading.Thread(target=poll, name="polling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
