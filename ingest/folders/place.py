"""Where a file is."""

from kb.values.documents import FileVersion

Place = tuple[str, str]
"""Watched folder, and path below it."""


def place_of(file: FileVersion) -> Place:
    """Where a file is."""
    return file.root, file.source
