"""From the passages of a search to a ranking of paragraphs, pages or files. Pure.

The parts of all passages (the chunks that were found) are put in one order: by score, the larger first, those of equal
score by the number of their passage and their place in it. Each part stands for the paragraphs that it overlaps, the
one with the larger overlap first, and a paragraph counts where it first appears. A part that overlaps none of the
paragraphs of a test set comes from a distractor, and counts as a paragraph of its own.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from kb.values.answers import Citation
from kb.values.passages import Passage, PassagePart
from server.measure.eval.questions import Span

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class FoundPart:
    """A part of a passage, with the document it stands in."""

    span: Span
    page: int | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a test set where it stands in a document.

    Attributes:
        key: Paragraphs with the same text share it: whichever is found, the right one is.
    """

    key: int
    span: Span


class Paragraphs:
    """The paragraphs of a test set, to be looked up by place.

    Args:
        paragraphs: In any order; those of one document do not overlap.
    """

    def __init__(self, paragraphs: Iterable[Paragraph]) -> None:
        self._of_document: dict[str, list[Paragraph]] = {}
        for paragraph in sorted(paragraphs, key=lambda paragraph: paragraph.span.start):
            self._of_document.setdefault(paragraph.span.document_id, []).append(paragraph)
        self._ends: Mapping[str, Sequence[int]] = {
            document_id: [paragraph.span.end for paragraph in members]
            for document_id, members in self._of_document.items()
        }

    def __len__(self) -> int:
        return sum(map(len, self._of_document.values()))

    def overlapping(self, span: Span) -> list[Paragraph]:
        """The paragraphs that share characters with a span, the one with the most first."""
        members = self._of_document.get(span.document_id, [])
        found = []
        for paragraph in members[bisect_left(self._ends.get(span.document_id, []), span.start + 1) :]:
            if paragraph.span.start >= span.end:
                break
            found.append(paragraph)
        return sorted(found, key=lambda paragraph: -paragraph.span.overlap(span))

    def spans(self, key: int) -> list[Span]:
        """Where the paragraph with a key stands."""
        members = chain.from_iterable(self._of_document.values())
        return [paragraph.span for paragraph in members if paragraph.key == key]


def ranked_parts(passages: Iterable[Passage]) -> list[FoundPart]:
    """The parts of all passages, best first, each once."""
    scored = [(passage, part) for passage in passages for part in passage.parts]
    scored.sort(key=lambda pair: (-pair[1].score, pair[0].number))
    return list(dict.fromkeys(_found(passage, part) for passage, part in scored))


def ranked_paragraphs(passages: Iterable[Passage], paragraphs: Paragraphs) -> list[Hashable]:
    """The keys of the paragraphs that passages stand for, best first; see the module."""
    ranked: dict[Hashable, None] = {}
    for part in ranked_parts(passages):
        keys: list[Hashable] = [paragraph.key for paragraph in paragraphs.overlapping(part.span)]
        ranked.update(dict.fromkeys(keys or [part.span]))
    return list(ranked)


def rank_of_span(passages: Iterable[Passage], gold: Sequence[Span]) -> int | None:
    """The 1-based rank of the first part that overlaps one of some spans, or None."""
    return first_rank(ranked_parts(passages), lambda part: any(part.span.overlap(span) for span in gold))


def first_rank(ranked: Iterable[Item], is_right: Callable[[Item], bool]) -> int | None:
    """The 1-based rank of the first item that is right, or None."""
    return next((rank for rank, item in enumerate(ranked, start=1) if is_right(item)), None)


def points_into(citation: Citation, spans: Iterable[Span]) -> bool:
    """Whether a citation shares characters with one of some spans."""
    cited = Span(citation.document_id, citation.start, citation.end)
    return any(cited.overlap(span) for span in spans)


def _found(passage: Passage, part: PassagePart) -> FoundPart:
    return FoundPart(Span(passage.document_id, part.start, part.end), part.page)
