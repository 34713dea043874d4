"""Puts the values of form fields where they stand on a page: beside their label, or below what stands over them.

Pure. Invariant: each line and each value is there once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.formats.pdf.page_layout import Line

_REACH = 20.0  # heights of a field: what is farther away is no label of a box to be checked


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form that is filled in, and its box in points from the lower left corner of the page.

    Attributes:
        name: What the file calls it, which readers may never see.
        is_check: Whether it is a box to be checked, whose label stands behind it.
    """

    name: str
    value: str
    is_check: bool
    left: float
    bottom: float
    right: float
    top: float

    @property
    def text(self) -> str:
        """Name and value, for where no label is near."""
        return f"{self.name}: {self.value}" if self.name else self.value


def with_fields(lines: Sequence[Line], fields: Iterable[Field]) -> list[Line]:
    """Adds the values of fields to the lines that are their labels; those without one are lines of their own.

    Args:
        lines: In the order in which they are read.
    """
    page = list(lines)
    for field in sorted(fields, key=lambda field: (-field.top, field.left)):
        beside = [place for place, line in enumerate(page) if _is_level(line, field)]
        behind = [place for place in beside if _is_behind(page[place], field)] if field.is_check else []
        before = [place for place in beside if page[place].left < field.left]
        if behind:
            place = min(behind, key=lambda place: page[place].left)
            page[place] = _grown(page[place], field, f"{field.value} {page[place].text}")
        elif before:
            place = max(before, key=lambda place: page[place].right)
            page[place] = _grown(page[place], field, f"{page[place].text} {field.value}")
        else:
            page.insert(_place_below(page, field), _line_of(field))
    return page


def _is_level(line: Line, field: Field) -> bool:
    middle = (line.bottom + line.top) / 2
    return field.bottom <= middle <= field.top or line.bottom <= (field.bottom + field.top) / 2 <= line.top


def _is_behind(line: Line, field: Field) -> bool:
    return 0 <= line.left - (field.left + field.right) / 2 <= _REACH * (field.top - field.bottom)


def _grown(line: Line, field: Field, text: str) -> Line:
    return replace(line, text=text, left=min(line.left, field.left), right=max(line.right, field.right), style=None)


def _place_below(page: Sequence[Line], field: Field) -> int:
    """Behind the lowest line over the field that reaches over it; else behind the lowest one; else at the end."""
    over = [place for place, line in enumerate(page) if line.bottom >= (field.bottom + field.top) / 2]
    reaching = [place for place in over if page[place].left < field.right and field.left < page[place].right]
    return min(reaching or over, key=lambda place: page[place].bottom, default=len(page) - 1) + 1


def _line_of(field: Field) -> Line:
    return Line(field.text, field.left, field.bottom, field.right, field.top)
