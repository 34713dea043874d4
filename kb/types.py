"""Documents, their files, and what is found in them: frozen values that travel between the rooms.

Offsets are half-open and count characters (Unicode code points) of `Document.text`. Pages are 1-based. Nothing here
does any work beyond deriving one field from others.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


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
    """

    title: str
    media_type: str
    text: str
    blocks: tuple[Block, ...]
    has_own_title: bool = False
    tags: tuple[str, ...] = ()
    date: datetime.date | None = None
    page_count: int | None = None


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
    """

    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    context: str = ""
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document as the catalog lists it, without its text.

    Attributes:
        recipe: Version of readers and chunker that it was made with; empty: it is to be read anew.
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


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as the catalog gives it back, with the document that holds it."""

    id: int
    document_id: str
    ordinal: int
    title: str
    source: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found.

    Attributes:
        score: The fused score; larger is better, comparable only within one search.
        similarity: Cosine of query and chunk in -1…1, or None where only the words matched.
        words: What the words of chunk and document add to the score.
    """

    chunk: StoredChunk
    score: float
    similarity: float | None = None
    words: float = 0.0


@dataclass(frozen=True, slots=True)
class PassagePart:
    """The place of one chunk inside a passage, so that a quote knows its own page and heading.

    Attributes:
        score: Of the chunk alone, so that a short prompt can leave the lesser parts of a passage out.
    """

    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of neighbouring chunks that is shown to the reader and to the model: `document.text[start:end] == text`.

    Attributes:
        number: 1-based rank among the passages of one question.
        parts: The chunks it is made of, in order; never empty.
        words: What the words of its best chunk, and of its document, add to the score.
    """

    number: int
    document_id: str
    title: str
    source: str
    text: str
    start: int
    end: int
    parts: tuple[PassagePart, ...]
    score: float
    similarity: float | None = None
    words: float = 0.0

    @property
    def page(self) -> int | None:
        """The page of its best part."""
        return self._best_part.page

    @property
    def heading(self) -> str:
        """The heading path of its best part."""
        return heading_path(self._best_part.headings)

    @property
    def _best_part(self) -> PassagePart:
        return max(self.parts, key=lambda part: part.score)

    def part_at(self, offset: int) -> PassagePart:
        """The part that holds a character of the document.

        Args:
            offset: In characters of the document's text, within `start…end`.
        """
        return next((part for part in reversed(self.parts) if part.start <= offset), self.parts[0])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long piece of work is.

    Attributes:
        label: What is being worked on.
        total: None while it is not known.
    """

    label: str
    done: int
    total: int | None
    unit: Literal["bytes", "files", "chunks"] = "bytes"


def heading_path(headings: Sequence[str]) -> str:
    """Writes a heading path on one line, outermost first."""
    return " › ".join(headings)
