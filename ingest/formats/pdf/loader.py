"""PDF files: chooses the reader whose text is better, and cuts pages into blocks that know page and section.

Each block lies on one page. Running heads and page numbers are not part of the document's text.
"""

import contextlib
import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from ingest.formats.encoding import clean
from ingest.formats.layout import clean_pages
from ingest.formats.pdf.headings import guessed_outline
from ingest.formats.pdf.page_layout import PageText
from ingest.formats.pdf.page_notes import embedded_files
from ingest.formats.pdf.pdfium_reader import PdfiumReader
from ingest.formats.pdf.pypdf_reader import EncryptedFile, Metadata, PdfReader, PypdfReader
from ingest.formats.pdf.sections import PAGE_SEPARATOR, page_blocks
from ingest.formats.showing import Shown
from ingest.formats.titles import sensible_title
from kb.errors import UnreadableFile
from kb.values.documents import Document

_SAMPLE_PAGES = 5
_MIN_WORTH_PER_PAGE = 300  # a page with less than a short paragraph wants a second look
_MAX_SECOND_LOOKS = 100  # pypdf reads about ten pages a second: a book of pictures should not hit the time limit
_MIN_GAIN = 1.2
_MAX_GARBLED_SHARE = 0.3
_OCR_HINT = "set KB_OCR=on, or run OCR over it, for example with ocrmypdf --force-ocr"
_SCAN_HINT = "scan it anew with more dots per inch, or type it"
_EARLIEST_YEAR = 1990  # PDF is of 1993

_HAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_GLYPH_NAME = re.compile(r"/(?:g|c|G|C|cid|uni|glyph|index)\d{1,5}|(?:/[A-Z0-9]{2}){3,}|\(cid:\d{1,5}\)")
_GARBLED_CATEGORIES = {"Cc", "Cn", "Co", "Cs"}
_NO_WORD = re.compile(r"[^\w \t\n\v\f\r!-~]")


class PdfLoader:
    """Reads the text that PDF files carry, and puts in its place among it what was read in pictures of their pages."""

    media_type = "application/pdf"
    extensions = (".pdf",)
    shown = Shown.AS_IT_IS
    is_markdown = False

    def load(self, name: str, data: bytes, scans: Mapping[int, str] | None = None) -> Document:
        """Reads a PDF file.

        Args:
            scans: See `ingest.formats.registry.load`.

        Raises:
            UnreadableFile: It is empty, broken or encrypted, or it has no text or none that means anything.
        """
        if not data:
            raise UnreadableFile("the file is empty")
        with contextlib.ExitStack() as stack:
            readers = _Readers(data, stack)
            page_texts = _best_text(readers)
            outline = next((entries for reader in readers.opened if (entries := reader.outline())), None)
            metadata = readers.opened[0].metadata()
            raw_pages = ["" if _is_garbled(page.text) else page.text for page in page_texts]
            pages = clean_pages(raw_pages)
            unread = _unread_pages(raw_pages, pages, readers.opened[0])
            read = {page: scans[page] for page in unread if scans and scans.get(page)}
            if read:
                pages = clean_pages([read.get(number, page) for number, page in enumerate(raw_pages, start=1)])
            pages = [_joined(page, *text.notes) for page, text in zip(pages, page_texts, strict=True)]
            if scans is None or scans.keys() >= set(unread):
                _require_text(pages, page_texts, unread, scans)
            pages[-1] = _joined(pages[-1], embedded_files(readers.opened[0].embedded_files(), pages[0]))
            labels = _telling(readers.opened[0].page_labels(), len(pages))
        title = _own_title(metadata)
        return Document(
            title=title or clean(PurePath(name).stem),
            media_type=self.media_type,
            text=PAGE_SEPARATOR.join(pages),
            blocks=tuple(page_blocks(pages, outline or guessed_outline(page_texts))),
            has_own_title=bool(title),
            date=_sane_date(metadata.created),
            page_count=len(pages),
            unread_pages=tuple(page for page in unread if page not in read),
            ocr_pages=tuple(read),
            unmapped_chars=sum(map(_garbled_chars, raw_pages)),
            page_labels=labels,
        )


class _Readers:
    """Opens a file with one library, and with the next only if that is asked for; passes over those that cannot."""

    def __init__(self, data: bytes, stack: contextlib.ExitStack) -> None:
        self._data = data
        self._stack = stack
        self._untried: list[Callable[[bytes], PdfReader]] = [PdfiumReader, PypdfReader]
        self._failures: list[UnreadableFile] = []
        self.opened: list[PdfReader] = []

    def first(self) -> PdfReader:
        """The preferred one of those that can open the file.

        Raises:
            UnreadableFile: None can.
        """
        reader = self.opened[0] if self.opened else self.another()
        if reader is None:
            encrypted = [failure for failure in self._failures if isinstance(failure, EncryptedFile)]
            raise next(iter([*encrypted, *self._failures]), UnreadableFile("the file has no pages"))
        return reader

    def another(self) -> PdfReader | None:
        """The next one, if there is one more that can open the file."""
        while self._untried:
            construct = self._untried.pop(0)
            try:
                reader = self._stack.enter_context(contextlib.closing(construct(self._data)))
            except UnreadableFile as failure:
                self._failures.append(failure)
                continue
            if reader.page_count:
                self.opened.append(reader)
                return reader
        return None


def _best_text(readers: _Readers) -> list[PageText]:
    """Reads all pages with the first reader, unless a sample is so poor that the second one is asked, and is better.

    Pages that are empty to the one are read by the other.
    """
    best, other = readers.first(), None
    step = max(1, best.page_count // _SAMPLE_PAGES)
    sample = range(1, best.page_count + 1, step)[:_SAMPLE_PAGES]
    known = {page: best.page_text(page) for page in sample}
    worth = sum(_worth(page.text) for page in known.values())
    if worth < _MIN_WORTH_PER_PAGE * len(sample) and (other := readers.another()):
        others = {page: _page_text(other, page) for page in sample}
        if sum(_worth(page.text) for page in others.values()) > _MIN_GAIN * max(worth, 0):
            best, other, known = other, best, others
    page_count = max(reader.page_count for reader in readers.opened)
    texts = [known.get(page) or _page_text(best, page) for page in range(1, page_count + 1)]
    empty = [page for page, text in enumerate(texts, start=1) if not text.text.strip()]
    if empty and (other := other or readers.another()):
        for page in empty[:_MAX_SECOND_LOOKS]:
            texts[page - 1] = _page_text(other, page)
    return texts


def _page_text(reader: PdfReader, page: int) -> PageText:
    return reader.page_text(page) if page <= reader.page_count else PageText("")


def _worth(text: str) -> int:
    """How much can be read: letters and digits count for it, what no font could mean against it; a line counts once.

    Han characters and kana read through the wrong character map often come out as two letters each, hence their weight.
    """
    text = "\n".join(dict.fromkeys(text.split("\n")))
    readable = sum(count for char, count in Counter(text).items() if char.isalnum())
    return readable + 2 * len(_HAN.findall(text)) - 5 * _garbled_chars(text)


def _garbled_chars(text: str) -> int:
    strange = sum(
        count
        for char, count in Counter(_NO_WORD.findall(text)).items()
        if char == "\ufffd" or unicodedata.category(char) in _GARBLED_CATEGORIES
    )
    return strange + sum(len(name) for name in _GLYPH_NAME.findall(text))


def _is_garbled(text: str) -> bool:
    return _garbled_chars(text) > _MAX_GARBLED_SHARE * len("".join(text.split()))


def _unread_pages(raw_pages: Sequence[str], pages: Sequence[str], reader: PdfReader) -> tuple[int, ...]:
    """The pages that show something of which there is no text, running heads and page numbers aside."""

    def is_unread(page: int) -> bool:
        if _has_text(pages[page - 1]):
            return False
        return reader.has_picture(page) if _has_text(raw_pages[page - 1]) else not reader.is_blank(page)

    return tuple(page for page in range(1, len(pages) + 1) if is_unread(page))


def _joined(*paragraphs: str) -> str:
    return "\n\n".join(filter(None, paragraphs))


def _telling(labels: Sequence[str], page_count: int) -> tuple[str, ...]:
    """The labels of pages, but those that are their numbers; nothing where that is all."""
    if len(labels) != page_count:
        return ()
    telling = ["" if label == str(page) else label.strip() for page, label in enumerate(labels, start=1)]
    return tuple(telling) if any(telling) else ()


def _has_text(page: str) -> bool:
    return any(map(str.isalnum, page))


def _require_text(
    pages: Sequence[str], page_texts: Sequence[PageText], unread: Sequence[int], scans: Mapping[int, str] | None
) -> None:
    if any(map(_has_text, pages)):
        return
    if not unread:
        raise UnreadableFile("no text: its pages show none", "open it, and look whether there is any")
    if scans:
        raise UnreadableFile("no text layer, and no text was found in the pictures of its pages", _SCAN_HINT)
    if _is_garbled("".join(page.text for page in page_texts)):
        raise UnreadableFile("its text means nothing: the fonts do not say which characters they show", _OCR_HINT)
    raise UnreadableFile("no text layer: probably a scanned PDF", _OCR_HINT)


def _own_title(metadata: Metadata) -> str:
    title = sensible_title(metadata.title)
    return "" if _garbled_chars(title) else title


def _sane_date(created: datetime.datetime | None) -> datetime.date | None:
    if created is None:
        return None
    latest = datetime.date.today() + datetime.timedelta(days=1)
    return created.date() if created.year >= _EARLIEST_YEAR and created.date() <= latest else None
