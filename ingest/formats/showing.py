"""How a document is shown to a reader, and how its original goes out.

Files can hold scripts, and browsers trust what comes from the service.
"""

from enum import StrEnum


class Shown(StrEnum):
    """How the file of a format goes out."""

    AS_IT_IS = "as it is"
    """Under its own media type, inside the browser: it runs nothing there."""
    AS_TEXT = "as text"
    """As plain text, whatever stands in it."""
    AS_DOWNLOAD = "as a download"
    """Saved, and opened by the program that it belongs to."""


class View(StrEnum):
    """As what a document is shown on the page, beside its text as it was read."""

    PAGES = "pages"
    """The pages of the file, drawn."""
    MARKDOWN = "markdown"
    """Its text, which is Markdown, rendered."""
    TEXT = "text"
    """Its text alone."""
