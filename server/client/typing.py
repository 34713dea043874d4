"""Tells a service of a question while it is typed, so that its sources are read when it is asked.

The page does the same (`preparing.js`). Invariant: nobody waits for it, and nothing depends on it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from kb.errors import KBError

PAUSE_SECONDS = 0.4
LEAST_CHARS = 4


@contextmanager
def prepared_while_typing(
    written: Callable[[], str], prepare: Callable[[str], object], pause_seconds: float = PAUSE_SECONDS
) -> Iterator[None]:
    """Looks now and then, in another thread, at what has been written, until the block ends.

    Args:
        written: Gives what stands there; empty: nothing that will be asked.
        prepare: Is told of each new beginning, one after the other; a `KBError` is passed over.
    """
    over = threading.Event()

    def look() -> None:
        sent = ""
        while not over.wait(pause_seconds):
            text = written().strip()
            if len(text) >= LEAST_CHARS and text != sent:
                sent = text
                with suppress(KBError):
                    prepare(text)

    threading.Thread(target=look, name="typing", daemon=True).start()
    try:
        yield
    finally:
        over.set()
