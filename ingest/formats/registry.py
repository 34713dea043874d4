"""Which loader reads which file. Knows formats by extension alone; what is in a file is the loader's business.

No loader opens a file: it gets the bytes.

Reading is not safe against hostile or broken files here: `ingest.sandbox.parser` does it in a child process.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ingest.formats.csv_table import CsvLoader
from ingest.formats.docx import DocxLoader
from ingest.formats.epub import EpubLoader
from ingest.formats.html import HtmlLoader
from ingest.formats.image import IMAGE_EXTENSIONS, IMAGE_LOADERS, ImageLoader, ImagePages
from ingest.formats.json_values import JsonLoader
from ingest.formats.mail import MailboxLoader, MailLoader
from ingest.formats.markdown import MarkdownLoader, PlainTextLoader
from ingest.formats.marked_text import LatexLoader, OrgLoader, RstLoader
from ingest.formats.notebook import NotebookLoader
from ingest.formats.odt import OdtLoader
from ingest.formats.page_view import PagedFile
from ingest.formats.pdf.loader import PdfLoader
from ingest.formats.pdf.page_view import PdfPages
from ingest.formats.pptx import PptxLoader
from ingest.formats.rtf import RtfLoader
from ingest.formats.showing import Shown, View
from ingest.formats.source_code import SourceCodeLoader
from ingest.formats.subtitles import SubtitleLoader
from ingest.formats.xlsx import XlsxLoader
from kb.errors import UnsupportedType
from kb.values.documents import Document

_PAGED: Mapping[str, Callable[[bytes], PagedFile]] = {".pdf": PdfPages, **dict.fromkeys(IMAGE_EXTENSIONS, ImagePages)}


class Loader(Protocol):
    """Reads the files of one format."""

    @property
    def media_type(self) -> str:
        """The media type of its files."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """How the names of its files end: in lower case, with the dot."""

    @property
    def shown(self) -> Shown:
        """How its files go out to a reader."""

    @property
    def is_markdown(self) -> bool:
        """Whether the text of its documents is Markdown."""

    def load(self, name: str, data: bytes) -> Document:
        """Reads one file into a document whose text can be written as UTF-8.

        Raises:
            UnreadableFile: Nothing can be read out of it, and why.
        """


LOADERS: tuple[Loader, ...] = (
    MarkdownLoader(),
    PlainTextLoader(),
    PdfLoader(),
    DocxLoader(),
    PptxLoader(),
    XlsxLoader(),
    OdtLoader(),
    RtfLoader(),
    EpubLoader(),
    HtmlLoader(),
    CsvLoader(),
    JsonLoader(),
    RstLoader(),
    OrgLoader(),
    LatexLoader(),
    NotebookLoader(),
    MailLoader(),
    MailboxLoader(),
    SubtitleLoader(),
    SourceCodeLoader(),
    *IMAGE_LOADERS,
)


def media_type(path: Path) -> str | None:
    """The media type that the extension stands for, or None where no loader reads it."""
    loader = _loader(path)
    return loader.media_type if loader else None


def shown(path: Path) -> Shown:
    """How a file goes out to a reader; one that no loader reads, as text."""
    loader = _loader(path)
    return loader.shown if loader else Shown.AS_TEXT


def supported(path: Path) -> bool:
    """Whether a loader reads files with this extension."""
    return _loader(path) is not None


def load(name: str, data: bytes, scans: Mapping[int, str] | None = None) -> Document:
    """Reads a file with the loader of its extension.

    Args:
        name: What stands for its title if it has none.
        scans: What was read in the pictures of its pages, empty where that was nothing. With it, a file whose text
            stands in pictures alone is a document, whose pages may yet be read. None: no picture will be.

    Raises:
        UnsupportedType: No loader reads this extension.
        UnreadableFile: Nothing can be read out of it, and why.
    """
    path = Path(name)
    loader = _loader(path)
    if loader is None:
        raise UnsupportedType(f"no loader reads {path.suffix or 'files without an extension'}: {name}")
    if isinstance(loader, PdfLoader | ImageLoader):
        return loader.load(path.name, data, scans)
    return loader.load(path.name, data)


def view(path: Path) -> View:
    """As what a document of such a file is shown; one that no loader reads, as text."""
    if path.suffix.lower() in _PAGED:
        return View.PAGES
    loader = _loader(path)
    return View.MARKDOWN if loader and loader.is_markdown else View.TEXT


def open_pages(name: str, data: bytes) -> PagedFile:
    """Opens a file whose pages are looked at; the caller closes it.

    Raises:
        UnsupportedType: Such a file has no pages.
        UnreadableFile: It cannot be opened, and why.
    """
    opened = _PAGED.get(Path(name).suffix.lower())
    if opened is None:
        raise UnsupportedType(f"files like {Path(name).name} have no pages to look at", "read its text")
    return opened(data)


def _loader(path: Path) -> Loader | None:
    extension = path.suffix.lower()
    return next((loader for loader in LOADERS if extension in loader.extensions), None)
