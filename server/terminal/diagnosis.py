"""What `kb doctor` says about one thing."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at.

    Attributes:
        level: `bad` keeps r1-kb from working, `note` is worth knowing.
    """

    level: Literal["good", "note", "bad"]
    text: str
    hint: str = ""
