"""Files that are ZIP packages of XML, as office programs and e-books write them: opened, or refused with a reason.

Nothing is unpacked to disk. What a package costs in memory and time is limited by the process that reads it.
"""

import datetime
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

from kb.errors import UnreadableFile

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
_BROKEN = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, EOFError, NotImplementedError)


class Package:
    """An open package.

    Attributes:
        names: Of its files.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = archive.namelist()

    def read(self, name: str) -> bytes:
        """The content of one file in it."""
        return self._archive.read(name)

    def xml(self, name: str) -> ElementTree.Element:
        """One file in it as XML."""
        return ElementTree.fromstring(self.read(name))

    def core(self, name: str) -> tuple[str, str, datetime.date | None]:
        """Title, author and date from a file with Dublin Core elements, as far as it has them."""
        if name not in self.names:
            return "", "", None
        tree = self.xml(name)
        texts = {element.tag: element.text or "" for element in tree.iter()}
        created = next((text for tag, text in texts.items() if tag.rpartition("}")[2] in _CREATED), "")
        return texts.get(f"{_DUBLIN_CORE}title", ""), texts.get(f"{_DUBLIN_CORE}creator", ""), _date(created)


_CREATED = ("created", "creation-date", "date")


@contextmanager
def opened(data: bytes) -> Iterator[Package]:
    """Opens a package; what goes wrong with it inside the block is told as well.

    Raises:
        UnreadableFile: It is empty, encrypted, of another kind, or broken.
    """
    if not data:
        raise UnreadableFile("the file is empty")
    if data.startswith(_OLD_OFFICE):
        raise UnreadableFile(
            "encrypted, or of an office program before 2007", "save it without a password, in today's format"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if any(entry.flag_bits & 1 for entry in archive.infolist()):
                raise UnreadableFile("encrypted: it opens only with a password", "save it without a password")
            yield Package(archive)
    except _BROKEN as error:
        raise UnreadableFile(
            f"broken: {' '.join(str(error).split())[:120]}", "open it where it was made, and save it again"
        ) from error


def _date(written: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(written[:10])
    except ValueError:
        return None
