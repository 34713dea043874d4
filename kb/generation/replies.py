"""A reply on its way from the thread that writes it to the one that waits for it.

Knows nothing about models and processes. Invariant: whoever waits hears something four times a second, because who
waits for the next item cannot go away meanwhile.
"""

import queue
from collections.abc import Callable, Iterator

from kb.values.chat import Generated, GenerationEnd, Heartbeat

Deliver = Callable[[Generated | Exception], None]
"""Takes the items of one reply in order; a `GenerationEnd` or an error is the last one. Never blocks."""

HEARTBEAT_SECONDS = 0.25


class Reply:
    """The items of one reply, for one reader."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Generated | Exception] = queue.SimpleQueue()

    def put(self, item: Generated | Exception) -> None:
        """Hands over the next item, or the error that ends the reply."""
        self._items.put(item)

    def items(self) -> Iterator[Generated]:
        """Waits for the items.

        Yields:
            Each item, the `GenerationEnd` last; while none comes, the last heartbeat again, so that it always tells how
            many requests come before.

        Raises:
            Exception: What was put.
        """
        heartbeat = Heartbeat()
        while True:
            try:
                item = self._items.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                item = heartbeat
            if isinstance(item, Exception):
                raise item
            if isinstance(item, Heartbeat):
                heartbeat = item
            yield item
            if isinstance(item, GenerationEnd):
                return
