"""Who is told what happens. Knows nothing of those who listen: they count, log or trace."""

from collections.abc import Callable
from contextvars import ContextVar

from kb.values.happenings import Happening

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being worked on: goes with it through threads and into the process of the model."""

Observe = Callable[[Happening], None]
"""Is told of each happening in the thread in which it happens; takes no time, and raises nothing."""


def unobserved(_: Happening) -> None:
    """Nobody listens."""


class Observers:
    """Passes happenings on to all who listen; safe for use by several threads."""

    def __init__(self) -> None:
        self._all: tuple[Observe, ...] = ()

    def add(self, observe: Observe) -> None:
        """Has somebody told of all that happens from now on."""
        self._all = (*self._all, observe)

    def __call__(self, happening: Happening) -> None:
        """Tells all of them."""
        for observe in self._all:
            observe(happening)
