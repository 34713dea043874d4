"""What all bodies share: how they are built from the core's values, and how a document's address is written."""

from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict

EXAMPLE_ID = "9f2c4e6a81b3d570"


class Wire(BaseModel):
    """A body; built from any value whose attributes have the names of its fields."""

    model_config = ConfigDict(from_attributes=True)


def _whole(text: str) -> str:
    text.encode()  # JSON can write half a character, "\\ud800", which nothing behind can read
    if "\0" in text:  # where the database ends a text
        raise ValueError("a NUL character makes no sense here")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""Text that a client sends."""


def file_url(document_id: str, page: int | None = None) -> str:
    """Where the original file of a document is, at a page if there is one."""
    return f"/documents/{quote(document_id)}/file" + (f"#page={page}" if page else "")
