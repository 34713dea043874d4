"""What was measured of this project, beside what the same libraries do when they are used plainly. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure.

    Attributes:
        what: With its unit.
        plain: The same of the plain way; None where there is none.
        plain_way: What it is compared with.
    """

    what: str
    ours: float
    plain: float | None = None
    plain_way: str = ""

    @property
    def ratio(self) -> float | None:
        """This project's figure for each one of the plain way."""
        return self.ours / self.plain if self.plain else None
