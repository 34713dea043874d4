"""How an original may be shown to a reader: files can hold scripts, and browsers trust what comes from the service."""

from enum import StrEnum


class Shown(StrEnum):
    """How the file of a format goes out."""

    AS_IT_IS = "as it is"
    """Under its own media type, inside the browser: it runs nothing there."""
    AS_TEXT = "as text"
    """As plain text, whatever stands in it."""
    AS_DOWNLOAD = "as a download"
    """Saved, and opened by the program that it belongs to."""
