"""Documents, the files that they were read from, and the chunks that they are cut into: frozen values.

Offsets are half-open and count characters (Unicode code points) of `Document.text`. Pages are 1-based. Nothing here
does any work beyond deriving one field from others.
"""

import datetime
from dataclasses import dataclass
from enum import StrEnum

from kb.values.links import Link


class BlockKind(StrEnum):
    """What a block of a document is; `code` and `table` blocks are kept whole as far as a chunk can hold them."""

    HEADING = "heading"
    PROSE = "prose"
    CODE = "code"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document: `document.text[start:end]`.

    Attributes:
        headings: The titles of the sections that hold it, outermost first; a heading block holds itself.
        page: The page it stands on, or None in formats without pages.
    """

    start: int
    end: int
    kind: BlockKind = BlockKind.PROSE
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What a loader read from one file.

    Attributes:
        title: The document's own title, or a name made of the file's.
        has_own_title: Whether the title comes from inside the document. Only then is it part of what is embedded, so
            that renaming a file embeds nothing.
        text: The whole text; every offset in the project counts characters of it.
        blocks: In order, not overlapping; together they hold all of the text but the white space between them.
        page_count: None in formats without pages.
        names: What else it is called, and who wrote it; it is found by them.
        aliases: What else it is called in links of others.
        links: To other documents, in order.
        unread_pages: Pages on which something stands, but no text that can be read; 1-based, in order.
        ocr_pages: Pages whose text was read in their picture; 1-based, in order.
        unmapped_chars: How many characters the file shows of which it does not say what they are.
        page_labels: What is printed on each page in the place of its number, such as `iv`, empty where that is its
            number; empty as a whole where that is so for all pages.
    """

    title: str
    media_type: str
    text: str
    blocks: tuple[Block, ...]
    has_own_title: bool = False
    tags: tuple[str, ...] = ()
    date: datetime.date | None = None
    page_count: int | None = None
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    unread_pages: tuple[int, ...] = ()
    ocr_pages: tuple[int, ...] = ()
    unmapped_chars: int = 0
    page_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One state of one file in a watched folder.

    Attributes:
        root: The watched folder, absolute.
        source: The path below it, with `/` between the parts.
        modified_ns: Modification time, nanoseconds since 1970.
        sha256: Of the bytes, in hex; empty where they were not read.
        changed_ns: When bytes, name or permissions last changed (`st_ctime`), which no program can set; nanoseconds
            since 1970, 0 where it was not noted.
    """

    root: str
    source: str
    size_bytes: int
    modified_ns: int
    sha256: str = ""
    changed_ns: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is embedded and found as one: `document.text[start:end] == text`.

    Attributes:
        context: Title and headings, and what tells about a table; embedded and indexed with the text, never quoted.
        tokens: Length of text and context in tokens of the embedding model.
        page_label: What is printed on its page in the place of the page's number; empty where that is its number.
        by_ocr: Whether it was read in a picture of its page.
    """

    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    context: str = ""
    tokens: int = 0
    page_label: str = ""
    by_ocr: bool = False


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document as the catalog lists it, without its text.

    Attributes:
        recipe: Version of readers and chunker that it was made with; empty: it is to be read anew.
        unread_pages: Pages on which something stands, but no text that can be read; the document answers without them.
        ocr_pages: Pages whose text was read in their picture.
        unmapped_chars: How many characters the file shows of which it does not say what they are.
    """

    id: str
    file: FileVersion
    title: str
    media_type: str
    tags: tuple[str, ...]
    date: datetime.date | None
    page_count: int | None
    text_chars: int
    chunk_count: int
    indexed_at: datetime.datetime
    recipe: str = ""
    unread_pages: tuple[int, ...] = ()
    ocr_pages: tuple[int, ...] = ()
    unmapped_chars: int = 0

    @property
    def day(self) -> str:
        """Its own date, else that of its file in UTC: `2026-03-01`."""
        modified = datetime.datetime.fromtimestamp(self.file.modified_ns / 1e9, datetime.UTC)
        return str(self.date or modified.date())


@dataclass(frozen=True, slots=True)
class PageSpan:
    """Which stretch of a document's text stands on a page: at least all of its chunks.

    Attributes:
        page: 1-based.
        label: What is printed on it in the place of its number; empty where that is its number.
    """

    page: int
    start: int
    end: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class DocumentOutline:
    """As much of a document as conditions look at.

    Attributes:
        tags: As one text.
        day: Its own date, else that of its file: `2026-03-01`.
    """

    id: str
    source: str
    media_type: str
    tags: str
    day: str

    @property
    def suffix(self) -> str:
        """The extension of its file, in small letters, without a dot; empty without one."""
        return self.source.rpartition("/")[2].rpartition(".")[2].lower() if "." in self.source else ""

    @property
    def folder(self) -> str:
        """Where its file is, below the watched folder; empty at the top."""
        return self.source.rpartition("/")[0]


class FailureKind(StrEnum):
    """Why a file is not indexed: how it will be treated from now on."""

    UNREADABLE = "unreadable"
    """Nothing can be read out of it, or not yet."""
    QUARANTINED = "quarantined"
    """It ended its reader each time it was tried; it is not touched until it changes or the user asks for it."""
    FORGOTTEN = "forgotten"
    """The user wanted it out of the index; it is not touched until it changes or is added again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is not indexed, and why.

    Attributes:
        reason: In plain words, for the person who owns the file.
        attempts: How often this version of the file was tried.
        next_try_at: When it is tried again by itself; None: not before it changes or the user asks for it.
    """

    file: FileVersion
    reason: str
    hint: str
    attempts: int
    failed_at: datetime.datetime
    kind: FailureKind = FailureKind.UNREADABLE
    next_try_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder that is kept in the index.

    Attributes:
        root: Absolute.
        device: Number of the file system that it was last read from (`st_dev`); None before it was read.
    """

    root: str
    device: int | None = None
