"""Pages whose text was read in their picture (OCR), and where on the picture its words stand. Frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word in a picture, or a character of a script that sets no spaces between words.

    Attributes:
        left: Like the other edges of its box, a share of the picture's width or height in 0…1, from the upper left.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """What was read in the picture of a page; all of it is empty where there was nothing to be read.

    Attributes:
        text: In the order in which it is read, with an empty line between paragraphs.
        words: The same without white space, in the same order.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
