"""Links between documents."""

from pydantic import Field

from kb.values.links import Linked
from server.http.schemas.base import EXAMPLE_ID, Wire


class DocumentLink(Wire):
    """A link, with the document at its other end."""

    target: str = Field(description="As it is written: a path, or a name.", examples=["manuals/Pika P3"])
    fragment: str = Field(description="A heading, or `^` and the mark of a block; may be empty.", examples=["Charging"])
    is_embed: bool = Field(description="Whether that is shown in the place of the link.", examples=[False])
    start: int = Field(description="Where it stands in the text of its document: first character.", examples=[120])
    end: int = Field(description="Character after the last.", examples=[131])
    document_id: str | None = Field(description="Null: it leads to no document yet.", examples=[EXAMPLE_ID])
    title: str = Field(description="Of that document.", examples=["Pika P3 field manual"])
    source: str = Field(description="Its path below the watched folder.", examples=["manuals/pika-p3.md"])
    url: str | None = Field(
        description="Behind the address of the page, opens it at the place: what is linked to, or the link.",
        examples=[f"#document={EXAMPLE_ID}&start=0&end=0"],
    )

    @classmethod
    def of(cls, linked: Linked, url: str | None) -> "DocumentLink":
        """Writes a link for the wire."""
        link = linked.link
        return cls(
            target=link.target,
            fragment=link.fragment,
            is_embed=link.is_embed,
            start=link.start,
            end=link.end,
            document_id=linked.document_id or None,
            title=linked.title,
            source=linked.source,
            url=url,
        )


class DocumentLinks(Wire):
    """The links of a document, as things are now."""

    to: list[DocumentLink] = Field(description="Those in it, in the order of its text.")
    by: list[DocumentLink] = Field(description="Those in other documents that lead to it, by folder and path.")
