"""Which documents are to stay on this machine: folders and tags of the setting `local_only`. Pure."""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

from kb.values.documents import DocumentInfo


class LocalOnly:
    """What must not be sent to an engine elsewhere. In doubt, a document is to stay.

    Args:
        entries: Each is a tag, or a folder or file: a whole path, or its end or middle at any depth.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._tags = {_plain(entry) for entry in entries}
        self._paths = [_parts(entry) for entry in entries]

    def __bool__(self) -> bool:
        """Whether anything is to stay."""
        return bool(self._tags)

    def holds(self, document: DocumentInfo | None) -> bool:
        """Whether a document is to stay; one that is not known any more is, if any is."""
        if not self:
            return False
        if document is None:
            return True
        if self._tags.intersection(map(_plain, document.tags)):
            return True
        parts = _parts(f"{document.file.root}/{document.file.source}")
        return any(_is_within(path, parts) for path in self._paths)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip().removeprefix("#").casefold())


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePath(_plain(path)).parts if part not in ("/", "."))


def _is_within(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return bool(short) and any(long[place : place + len(short)] == short for place in range(len(long) - len(short) + 1))
