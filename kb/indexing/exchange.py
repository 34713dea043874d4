"""A value that is replaced while others use it. Knows nothing about the value."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Exchangeable(Generic[T]):
    """Gives its value out to any number of threads, and waits for them when it is replaced.

    Args:
        value: The first one.
    """

    def __init__(self, value: T) -> None:
        self._lent = _Lent(value)
        self._returned = threading.Condition()

    @property
    def value(self) -> T:
        """The value of this moment."""
        return self._lent.value

    @contextmanager
    def borrowed(self) -> Iterator[T]:
        """The value of this moment, which is not given up before the block ends."""
        with self._returned:
            lent = self._lent
            lent.borrowers += 1
        try:
            yield lent.value
        finally:
            with self._returned:
                lent.borrowers -= 1
                self._returned.notify_all()

    def exchange(self, value: T, patience_seconds: float) -> bool:
        """Puts another value in the place of this one, and waits until nobody uses the old one.

        Returns:
            Whether that came in time.
        """
        with self._returned:
            old, self._lent = self._lent, _Lent(value)
            return self._returned.wait_for(lambda: old.borrowers == 0, patience_seconds)

    def wait_for_borrowers(self, patience_seconds: float) -> bool:
        """Waits until nobody uses the value.

        Returns:
            Whether that came in time.
        """
        with self._returned:
            return self._returned.wait_for(lambda: self._lent.borrowers == 0, patience_seconds)


@dataclass
class _Lent(Generic[T]):
    value: T
    borrowers: int = 0
