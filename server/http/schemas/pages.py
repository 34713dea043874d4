"""Pages as they are seen, and places of text on them."""

from pydantic import Field

from ingest.formats.page_view import UNITS_PER_POINT
from kb.values.documents import PageSpan
from server.http.schemas.base import Wire

Box = tuple[float, float, float, float]
_BOX = "Left, top, width and height as parts of the page, 0 to 1, from its upper left corner as it is shown."


class Page(Wire):
    """A page as it is shown."""

    number: int = Field(description="From 1: the sheet.", examples=[3])
    label: str = Field(
        description="What is printed in the place of its number; empty where that is it.", examples=["i"]
    )
    width: float = Field(description="In points.", examples=[595.28])
    height: float = Field(description="In points.", examples=[841.89])
    start: int | None = Field(description="First character of its text; null: it has none.", examples=[0])
    end: int | None = Field(description="Character after the last.", examples=[2210])

    @classmethod
    def of(cls, number: int, size: tuple[int, int], span: PageSpan | None) -> "Page":
        """Writes a page for the wire."""
        width, height = size
        return cls(
            number=number,
            label=span.label if span else "",
            width=width / UNITS_PER_POINT,
            height=height / UNITS_PER_POINT,
            start=span.start if span else None,
            end=span.end if span else None,
        )


class PageList(Wire):
    """The pages of a file as it is now."""

    pages: list[Page] = Field(description="In order.")
    changed: bool = Field(description="Whether the file has changed since it was read.", examples=[False])


class PageBoxes(Wire):
    """Where a stretch of text stands on a page."""

    boxes: list[Box] = Field(
        description=f"One for each line or part of one; none where it is not there. {_BOX}",
        examples=[[(0.12, 0.31, 0.6, 0.016)]],
    )
    changed: bool = Field(description="Whether the file has changed since it was read.", examples=[False])


class PageLine(Wire):
    """A line as it is drawn."""

    text: str = Field(description="With its spaces.", examples=["Charge the battery between 5 °C and 35 °C."])
    box: Box = Field(description=_BOX)


class PageLines(Wire):
    """The text of a page as it is drawn."""

    lines: list[PageLine] = Field(description="In the order in which the file draws them.")


class RenderedText(Wire):
    """Markdown as HTML."""

    html: str = Field(
        description="Sanitised; the stretch stands in `mark`; pictures are links.",
        examples=["<p>Charge the <mark>battery</mark>.</p>\n"],
    )
    start: int = Field(description="First character of the text that is rendered.", examples=[0])
    end: int = Field(description="Character after the last.", examples=[2210])
    text_chars: int = Field(description="Length of the text.", examples=[2210])


class Match(Wire):
    """A place inside a document."""

    start: int = Field(description="First character.", examples=[120])
    end: int = Field(description="Character after the last.", examples=[127])
    page: int | None = Field(description="Null in formats without pages.", examples=[2])
    before: str = Field(description="Some text before it.", examples=["Charge the "])
    text: str = Field(description="What stands there.", examples=["battery"])
    after: str = Field(description="Some text after it.", examples=[" between 5 °C"])


class Matches(Wire):
    """Where a text stands in a document."""

    matches: list[Match] = Field(description="In order; at most 500.")
    total: int = Field(description="How many there are.", examples=[1])
