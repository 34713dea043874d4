"""What a page looks like: its size, its picture, and where on it each character stands.

Values that a format with pages gives, and that travel out of the sandbox; nothing here does any work. Places are whole
hundredths of a point from the upper left corner of the page as it is shown, turned and cut to its box.
"""

from dataclasses import dataclass
from typing import Protocol

UNITS_PER_POINT = 100

MAX_PICTURE_PIXELS = 12_000_000
"""Of one picture; a page that is longer than such a width allows is drawn smaller."""

MAX_PICTURE_SIDE_PIXELS = 20_000
"""Of one picture; JPEG knows no more than three times that."""

MAX_GLYPHS = 60_000
"""Of one page; what comes after is not looked for."""

MAX_PAGES = 20_000
"""Of one file, of which sizes are told."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of a page in the order in which the file draws them.

    Attributes:
        width: Of the page.
        height: Of the page.
        text: One character each, line ends among them.
        boxes: One for each character; empty ones for what takes no room.
        printed: How many of them are the page's own; behind them stand the values of fields and the notes of readers.
    """

    width: int
    height: int
    text: str
    boxes: tuple[Box, ...]
    printed: int


class PagedFile(Protocol):
    """An opened file that has pages to be looked at. Pages are 1-based."""

    def sizes(self) -> list[tuple[int, int]]:
        """Width and height of each page as it is shown."""

    def picture(self, page: int, width_pixels: int) -> bytes:
        """Draws a page as a JPEG image."""

    def glyphs(self, page: int) -> Glyphs:
        """The characters of a page and their places."""

    def close(self) -> None:
        """Closes the file."""
