"""What a PDF library must give, pages as text, outline and metadata; and pypdf, which gives it.

Knows nothing of which text is the better one, nor of documents. What a library raises on broken files becomes
`UnreadableFile` when the file is opened, and an empty page, an empty outline or no metadata later.
"""

import contextlib
import datetime
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from ingest.formats.encoding import clean
from ingest.formats.pdf.overprint import said_once
from ingest.formats.pdf.page_layout import PageText
from ingest.formats.pdf.page_notes import Note, written
from ingest.formats.pdf.sections import OutlineEntry
from kb.errors import UnreadableFile

if TYPE_CHECKING:
    from pypdf import PageObject
    from pypdf import PdfReader as Pypdf

MAX_OUTLINE_ENTRIES = 5_000
MAX_OUTLINE_DEPTH = 12
MAX_EMBEDDED_FILES = 500
MAX_NOTES = 2_000
_MAX_REASON_CHARS = 120

# pypdf is written in Python and checks little: on broken files nearly every built-in error comes out of it.
_BROKEN_FILE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a PDF says of itself; empty or None where it says nothing."""

    title: str = ""
    created: datetime.datetime | None = None


class EncryptedFile(UnreadableFile):
    """The file opens only with a password."""

    def __init__(self) -> None:
        super().__init__(
            "encrypted: it opens only with a password", "remove the password, for example with qpdf --decrypt"
        )


class PdfReader(Protocol):
    """An open PDF file."""

    @property
    def page_count(self) -> int:
        """How many pages the library finds."""

    def page_text(self, page: int) -> PageText:
        """The text of a page, empty where the library fails.

        Args:
            page: 1-based.
        """

    def is_blank(self, page: int) -> bool:
        """Whether nothing at all is drawn on a page.

        Args:
            page: 1-based.
        """

    def has_picture(self, page: int) -> bool:
        """Whether a picture takes a good part of a page, as a scan does.

        Args:
            page: 1-based.
        """

    def outline(self) -> list[OutlineEntry]:
        """The table of contents in reading order."""

    def page_labels(self) -> tuple[str, ...]:
        """What is printed on each page in the place of its number, such as `iv`; empty where that cannot be told."""

    def embedded_files(self) -> list[str]:
        """The names of the files that lie in this one, at most `MAX_EMBEDDED_FILES`."""

    def metadata(self) -> Metadata:
        """What the file says of itself."""

    def close(self) -> None:
        """Closes the file."""


class PypdfReader:
    """Reads with pypdf: pure Python and careful, about ten pages a second.

    Raises:
        UnreadableFile: The file is encrypted, or pypdf cannot open it.
    """

    def __init__(self, data: bytes) -> None:
        import pypdf
        from pypdf.errors import DependencyError, DeprecationError, PyPdfError

        self._failures: tuple[type[Exception], ...] = (*_BROKEN_FILE, PyPdfError, DependencyError, DeprecationError)
        try:
            self._file: Pypdf = pypdf.PdfReader(io.BytesIO(data))
            if self._file.is_encrypted and not self._file.decrypt(""):
                raise EncryptedFile
            self.page_count = len(self._file.pages)
        except self._failures as error:
            raise UnreadableFile(f"broken: {one_line(error)}") from error

    def page_text(self, page: int) -> PageText:
        """The text of a page as pypdf lays it out, empty where it fails."""
        with contextlib.suppress(*self._failures):
            opened = self._file.pages[page - 1]
            return PageText(said_once(opened.extract_text()), notes=tuple(self._notes(opened)))
        return PageText("")

    def is_blank(self, page: int) -> bool:
        """Whether a page is there without content; one that cannot be looked at may have some."""
        if page > self.page_count:
            return False
        with contextlib.suppress(*self._failures):
            contents = self._file.pages[page - 1].get_contents()
            return contents is None or not contents.get_data().strip()
        return False

    def has_picture(self, page: int) -> bool:
        """Whether a page has any picture; how large they are, pypdf does not say."""
        with contextlib.suppress(*self._failures):
            return bool(self._file.pages[page - 1].images.keys())
        return False

    def outline(self) -> list[OutlineEntry]:
        """The table of contents, without entries that lead nowhere."""
        with contextlib.suppress(*self._failures):
            return list(islice(self._entries(self._file.outline, 0), MAX_OUTLINE_ENTRIES))
        return []

    def page_labels(self) -> tuple[str, ...]:
        """What is printed on each page in the place of its number."""
        with contextlib.suppress(*self._failures):
            return tuple(map(clean, self._file.page_labels))
        return ()

    def embedded_files(self) -> list[str]:
        """The names of the files that lie in this one."""
        with contextlib.suppress(*self._failures):
            return [clean(name) for name in islice(self._file.attachments, MAX_EMBEDDED_FILES)]
        return []

    def metadata(self) -> Metadata:
        """Title and date from the information dictionary."""
        title, created = "", None
        with contextlib.suppress(*self._failures):
            title = clean(str((self._file.metadata and self._file.metadata.title) or ""))
        with contextlib.suppress(*self._failures):
            created = self._file.metadata.creation_date if self._file.metadata else None
        return Metadata(title, created)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _notes(self, page: "PageObject") -> Iterator[str]:
        for annotation in islice(page.annotations or (), MAX_NOTES):
            entries = annotation.get_object()
            text = " ".join(clean(str(entries.get("/Contents", ""))).split())
            if text and entries.get("/Subtype") not in ("/Widget", "/Link", "/Popup"):
                yield written(Note(clean(str(entries.get("/T", ""))), text))

    def _entries(self, items: list[Any], depth: int) -> Iterator[OutlineEntry]:
        for item in items:
            if isinstance(item, list):
                if depth < MAX_OUTLINE_DEPTH:
                    yield from self._entries(item, depth + 1)
                continue
            page = self._file.get_destination_page_number(item)
            if page is not None and page >= 0:
                yield OutlineEntry(depth, clean(str(item.title or "")), page + 1)


def one_line(error: Exception) -> str:
    """What a library says of a failure, short enough to be shown."""
    return clean(" ".join(str(error).split()))[:_MAX_REASON_CHARS] or type(error).__name__
