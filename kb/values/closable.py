"""What holds something that is to be given back."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Closable(Protocol):
    """What holds something that is to be given back."""

    def close(self) -> None:
        """Gives back what it holds. Closing twice does nothing."""


def close(*values: object) -> None:
    """Closes those that hold something."""
    for value in values:
        if isinstance(value, Closable):
            value.close()
