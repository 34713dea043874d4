"""Passages → the sentences that can be quoted from them, each with all that is needed to hold a statement against it.

Pure. Each quote is cut from a passage by its offsets, so that it stands verbatim in the document; a heading is never
one, and none is longer than `MAX_QUOTE_CHARS`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.citing.analysed_text import AnalysedText
from kb.text.sentences import Span, sentence_spans
from kb.values.passages import Passage, PassagePart, heading_path

MAX_QUOTE_CHARS = 600

_LINE = re.compile(rf"\S.{{0,{MAX_QUOTE_CHARS - 1}}}(?<!\s)")
_CONTENT = re.compile(r"[^\W_]")
_HEADING = re.compile(r"(?:#{1,6}\s[^\n]*|[^\n]+\n[ \t]*(?:={2,}|-{2,})[ \t]*)(?:\n\s*|\Z)")


@dataclass(frozen=True, slots=True, eq=False)
class Quote:
    """A stretch of a document: `document.text[start:end] == wording.text`.

    Attributes:
        part: The chunk that it begins in.
        nearby: Terms of it and of the sentences before and after it, which may hold what it means by "it" and "they".
    """

    passage: Passage
    part: PassagePart
    start: int
    end: int
    analysed_text: AnalysedText
    nearby: frozenset[str]

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from others."""
        return self.passage.document_id, self.start, self.end

    def is_within(self, other: "Quote") -> bool:
        """Whether another quote holds it."""
        return self.passage is other.passage and other.start <= self.start and self.end <= other.end


def quotes_of(passages: Sequence[Passage]) -> list[Quote]:
    """All that can be quoted, passage by passage, in the order of the text."""
    return [quote for passage in passages for quote in _quotes_of(passage)]


def joined(one: Quote, other: Quote) -> Quote | None:
    """Two sentences that stand side by side, as one quote; None where they do not, or are too long together."""
    first, last = (one, other) if one.start < other.start else (other, one)
    between = _text(one.passage, first.end, last.start)
    if one.passage is not other.passage or first.end > last.start or between.strip():
        return None
    if last.end - first.start > MAX_QUOTE_CHARS:
        return None
    analysed_text = AnalysedText(_text(one.passage, first.start, last.end), first.analysed_text.context)
    return Quote(one.passage, first.part, first.start, last.end, analysed_text, one.nearby | other.nearby)


def _quotes_of(passage: Passage) -> Iterator[Quote]:
    titles = {part: heading_path([passage.name, *part.headings]) for part in passage.parts}
    places = [
        (part, start, end, AnalysedText(_text(passage, start, end), titles[part]))
        for part in passage.parts
        for start, end in _quotable_spans(passage, part)
    ]
    for number, (part, start, end, analysed_text) in enumerate(places):
        nearby = frozenset().union(*(other.terms for *_, other in places[max(0, number - 1) : number + 2]))
        if analysed_text.text not in part.headings and _CONTENT.search(analysed_text.text):
            yield Quote(passage, part, start, end, analysed_text, nearby)


def _quotable_spans(passage: Passage, part: PassagePart) -> Iterator[Span]:
    """The sentences of a part; one that is very long, such as a block of code, is cut into its lines."""
    text = _text(passage, part.start, part.end)
    for start, end in sentence_spans(text):
        if heading := _HEADING.match(text, start, end):
            start = heading.end()
        if end - start <= MAX_QUOTE_CHARS:
            yield part.start + start, part.start + end
        else:
            for line in _LINE.finditer(text, start, end):
                yield part.start + line.start(), part.start + line.end()


def _text(passage: Passage, start: int, end: int) -> str:
    return passage.text[start - passage.start : end - passage.start]
