"""PDF files: chooses the reader whose text is better, and cuts pages into blocks that know page and section.

Each block lies on one page. Running heads and page numbers are not part of the document's text.
"""

import contextlib
import datetime
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.encoding import clean
from ingest.layout import clean_pages
from ingest.pdf_readers import EncryptedFile, Metadata, PdfiumReader, PdfReader, PypdfReader
from ingest.pdf_sections import PAGE_SEPARATOR, page_blocks
from kb.errors import UnreadableFile
from kb.types import Document

# pypdf reads about ten pages a second, PDFium about a hundred: a book should not hit the time limit.
_MAX_PYPDF_PAGES = 100
_SAMPLE_PAGES = 5
_MIN_GAIN = 1.2
_MAX_GARBLED_SHARE = 0.5
_MAX_TITLE_CHARS = 300
_EARLIEST_YEAR = 1990  # PDF is of 1993

_HAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_GLYPH_NAME = re.compile(r"/(?:g|c|G|C|cid|uni|glyph|index)\d{1,5}|(?:/[A-Z0-9]{2}){3,}|\(cid:\d{1,5}\)")
_GARBLED_CATEGORIES = {"Cc", "Cn", "Co", "Cs"}
_WHITE_SPACE = frozenset("\t\n\v\f\r")
_USELESS_TITLE = re.compile(
    r"untitled|no ?title|\(?anonymous\)?|(?:document|presentation|slide|book|title|doc|scan)\W?\d*"
    r"|powerpoint presentation|无标题.*|未命名.*|幻灯片\W?\d*|文档\W?\d*"
    r"|microsoft \w+ - .*|.*\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|odt|rtf|html?|qxd|pages|wpd|cdr|ai|fm|p65)"
    r"|[\W\d_]*",
    re.IGNORECASE,
)


class PdfLoader:
    """Reads PDF files that carry text; scanned pages have none."""

    media_type = "application/pdf"
    extensions = (".pdf",)

    def load(self, path: Path) -> Document:
        """Reads a PDF file.

        Raises:
            UnreadableFile: It is empty, broken or encrypted, or it has no text or none that means anything.
            OSError: It cannot be read.
        """
        if not path.stat().st_size:
            raise UnreadableFile("the file is empty")
        with contextlib.ExitStack() as stack:
            readers = _open(path, stack)
            pages = clean_pages(_best_text(readers))
            outline = next((entries for reader in readers if (entries := reader.outline())), [])
            metadata = readers[0].metadata()
        _require_text(pages)
        title = _own_title(metadata)
        return Document(
            title=title or clean(path.stem),
            media_type=self.media_type,
            text=PAGE_SEPARATOR.join(pages),
            blocks=tuple(page_blocks(pages, outline)),
            has_own_title=bool(title),
            date=_sane_date(metadata.created),
            page_count=len(pages),
        )


def _open(path: Path, stack: contextlib.ExitStack) -> list[PdfReader]:
    """Opens the file with both libraries, as far as they can; the one to be preferred comes first."""
    readers: list[PdfReader] = []
    failures: list[UnreadableFile] = []
    constructors: tuple[Callable[[Path], PdfReader], ...] = (PypdfReader, PdfiumReader)
    for construct in constructors:
        try:
            reader = stack.enter_context(contextlib.closing(construct(path)))
        except UnreadableFile as failure:
            failures.append(failure)
        else:
            readers.append(reader)
    with_pages = [reader for reader in readers if reader.page_count]
    if not with_pages:
        raise _no_pages(failures)
    prefers_pypdf = with_pages[0].page_count <= _MAX_PYPDF_PAGES
    return with_pages if prefers_pypdf else with_pages[::-1]


def _no_pages(failures: Sequence[UnreadableFile]) -> UnreadableFile:
    encrypted = [failure for failure in failures if isinstance(failure, EncryptedFile)]
    return next(iter([*encrypted, *failures]), UnreadableFile("the file has no pages"))


def _best_text(readers: Sequence[PdfReader]) -> list[str]:
    """Reads all pages with the reader that is better on a sample; what it finds empty, the other one tries."""
    page_count = max(reader.page_count for reader in readers)
    step = max(1, page_count // _SAMPLE_PAGES)
    sample = range(1, page_count + 1, step)[:_SAMPLE_PAGES]
    worths = {reader: sum(_worth(_page_text(reader, page)) for page in sample) for reader in readers}
    first, *rest = readers
    best = next((reader for reader in rest if worths[reader] > _MIN_GAIN * max(worths[first], 0)), first)
    others = [reader for reader in readers if reader is not best]
    return [
        next((text for reader in (best, *others) if (text := _page_text(reader, page)).strip()), "")
        for page in range(1, page_count + 1)
    ]


def _page_text(reader: PdfReader, page: int) -> str:
    return reader.page_text(page) if page <= reader.page_count else ""


def _worth(text: str) -> int:
    """How much can be read: letters and digits count for it, what no font could mean against it.

    Han characters and kana read through the wrong character map often come out as two letters each, hence their weight.
    """
    readable = sum(char.isalnum() for char in text)
    return readable + 2 * len(_HAN.findall(text)) - 5 * _garbled_chars(text)


def _garbled_chars(text: str) -> int:
    strange = sum(
        char == "\ufffd" or (char not in _WHITE_SPACE and unicodedata.category(char) in _GARBLED_CATEGORIES)
        for char in text
    )
    return strange + sum(len(name) for name in _GLYPH_NAME.findall(text))


def _require_text(pages: Sequence[str]) -> None:
    text = "".join(pages)
    if _garbled_chars(text) > _MAX_GARBLED_SHARE * len("".join(text.split())):
        raise UnreadableFile(
            "its text means nothing: the fonts do not say which characters they show",
            "run OCR over it, for example with ocrmypdf --force-ocr",
        )
    if not any(char.isalnum() for char in text):
        raise UnreadableFile(
            "no text layer: probably a scanned PDF", "run OCR over it, for example with ocrmypdf, and save it again"
        )


def _own_title(metadata: Metadata) -> str:
    title = " ".join(metadata.title.split())
    sensible = len(title) <= _MAX_TITLE_CHARS and not _USELESS_TITLE.fullmatch(title) and not _garbled_chars(title)
    return title if sensible else ""


def _sane_date(created: datetime.datetime | None) -> datetime.date | None:
    if created is None:
        return None
    latest = datetime.date.today() + datetime.timedelta(days=1)
    return created.date() if created.year >= _EARLIEST_YEAR and created.date() <= latest else None
