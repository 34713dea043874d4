"""Links from one document to another: as they are written, and where they lead now. Frozen values."""

from dataclasses import dataclass

Destination = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is written: it may lead nowhere, or to a document that comes later.

    Attributes:
        start: With `end`, where it stands in the document's text, in characters.
        target: A path, or the name of a document.
        fragment: A heading of the document, or `^` and the mark of a block; empty: the document as a whole.
        is_embed: Whether what it leads to is shown in its place.
        is_path: Whether it can be a path alone, as links of Markdown are.
    """

    start: int
    end: int
    target: str
    fragment: str = ""
    is_embed: bool = False
    is_path: bool = False

    @property
    def destination(self) -> Destination:
        """Target, fragment and `is_path`: links of a document that share them lead to the same place."""
        return self.target, self.fragment, self.is_path


@dataclass(frozen=True, slots=True)
class Linked:
    """A link with the document at its other end.

    Attributes:
        document_id: Empty where it leads nowhere; so are `title` and `source` there.
        source: The path below the watched folder.
    """

    link: Link
    document_id: str = ""
    title: str = ""
    source: str = ""
