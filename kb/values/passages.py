"""What a search finds: chunks as hits, and passages to be shown. Frozen values.

Offsets are half-open and count characters (Unicode code points) of `Document.text`. Pages are 1-based.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.values.documents import Chunk


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


Place = tuple[str, int, int]
"""A stretch of a document: its id, and start and end."""


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
    page_label: str = ""
    by_ocr: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of neighbouring chunks that is shown to the reader and to the model: `document.text[start:end] == text`.

    Attributes:
        number: 1-based rank among the passages of one question.
        parts: The chunks it is made of, in order; never empty.
        words: What the words of its best chunk, and of its document, add to the score.
        older_versions: Paths of documents that are older versions of its own, such as the copies which a conflict of
            two machines leaves; they do not answer.
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
    older_versions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the document is called: its own title, or where that is its file's name, the path with it."""
        folder, slash, file_name = self.source.rpartition("/")
        stem = file_name.rpartition(".")[0] or file_name
        return f"{folder}{slash}{stem}" if self.title == stem else self.title

    @property
    def page(self) -> int | None:
        """The page of its best part."""
        return self._best_part.page

    @property
    def page_label(self) -> str:
        """What is printed on that page in the place of its number; empty where that is its number."""
        return self._best_part.page_label

    @property
    def by_ocr(self) -> bool:
        """Whether any of it was read in a picture."""
        return any(part.by_ocr for part in self.parts)

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


def heading_path(headings: Sequence[str]) -> str:
    """Writes a heading path on one line, outermost first."""
    return " › ".join(headings)
