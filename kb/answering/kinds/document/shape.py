"""What a summary should look like: read off the question. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from kb.answering.understanding.form import Form
from kb.text.quantities import quantities
from kb.text.scripts import in_one_writing

Style = Literal["list", "paragraph", "outline", "table"]

DEFAULT_ITEMS = {"list": 7, "paragraph": 5, "outline": 40, "table": 12}
"""How many sentences there are where the question does not say."""

_MOST_ITEMS = 20
_OUTLINE = re.compile(
    r"\boutlin|table of contents|大纲|提纲|目录|框架|アウトライン|目次|\bgliederung|\besquema\b|\bplan détaillé\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a summary should look like.

    Attributes:
        items: How many sentences it has at the most.
        is_exact: Whether so many were asked for.
    """

    style: Style
    items: int
    is_exact: bool = False

    @property
    def least_sections(self) -> int:
        """How many sections are needed to fill it."""
        return self.items if self.is_exact else 1


def shape_of(question: str, form: Form, names: str) -> Shape:
    """Reads what is wanted.

    Args:
        form: As the classifier sees it.
        names: Of the document and the part that is meant: numbers in them are no number of points.
    """
    text = in_one_writing(question)
    style: Style = form if form in ("list", "table") else "paragraph"
    if _OUTLINE.search(text):
        return Shape("outline", DEFAULT_ITEMS["outline"])
    taken = {each.value for each in quantities(names, ones=True)}
    said = {each.value for each in quantities(text, ones=form == "sentence")} - taken
    numbers = [int(each) for each in said if each.isdigit() and 1 <= int(each) <= _MOST_ITEMS]
    if len(numbers) == 1:
        return Shape(style, numbers[0], is_exact=True)
    return Shape(style, DEFAULT_ITEMS[style])
