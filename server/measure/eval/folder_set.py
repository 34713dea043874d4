"""Questions made of documents themselves, with the place where the answer stands. Pure.

Two kinds: the headings over a section, which should lead to it, and sentences that hold words or numbers which stand in
no other sentence, less some of their words. The same documents give the same questions.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from kb.text.scripts import is_cjk
from kb.text.sentences import sentence_spans
from kb.text.terms import content_terms
from kb.values.documents import BlockKind, Document
from server.measure.eval.questions import Span, spread_out

Kind = Literal["heading", "sentence"]

SENTENCES_PER_DOCUMENT = 10

_MIN_SECTION_CHARS = 80
_OWN_TERMS = 2
"""A sentence is distinctive from so many terms that no other one has."""
_SENTENCE_TERMS = range(5, 61)
_LEFT_OUT = 3
"""One word of so many is left out."""
_FUNCTION_CHARACTERS = "的了是在及和与或被把将从对于这那此之其等也都就而但"
_WORD = re.compile(r"[^\W_](?:[\w.,:/'’-]*[^\W_])?%?")
_LONGEST_PIECE = 4


@dataclass(frozen=True, slots=True)
class Probe:
    """A question made of a document.

    Attributes:
        gold: What it was made of.
    """

    kind: Kind
    text: str
    gold: Span


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    gold: Span
    terms: frozenset[str]


def make_probes(documents: Iterable[tuple[str, Document]], limit: int | None) -> list[Probe]:
    """Makes questions of documents.

    Args:
        documents: With their ids.
        limit: How many at most, half of each kind as far as there are enough; None: all.
    """
    documents = list(documents)
    headings, sentences = _heading_probes(documents), _sentence_probes(documents)
    if limit is None:
        return [*headings, *sentences]
    from_headings = min(len(headings), max(limit // 2, limit - len(sentences)))
    return [*spread_out(headings, from_headings), *spread_out(sentences, limit - from_headings)]


def _heading_probes(documents: Sequence[tuple[str, Document]]) -> list[Probe]:
    """One for each path of headings that stands over one text only."""
    probes = [probe for document_id, document in documents for probe in _sections(document_id, document)]
    uses = Counter(probe.text.casefold() for probe in probes)
    return [probe for probe in probes if uses[probe.text.casefold()] == 1]


def _sections(document_id: str, document: Document) -> Iterator[Probe]:
    for headings, group in groupby(document.blocks, key=lambda block: block.headings):
        blocks = list(group)
        chars = sum(block.end - block.start for block in blocks if block.kind is not BlockKind.HEADING)
        if headings and chars >= _MIN_SECTION_CHARS:
            yield Probe("heading", " ".join(headings), Span(document_id, blocks[0].start, blocks[-1].end))


def _sentence_probes(documents: Sequence[tuple[str, Document]]) -> list[Probe]:
    by_document = [list(_sentences(document_id, document)) for document_id, document in documents]
    uses = Counter(term for sentences in by_document for sentence in sentences for term in sentence.terms)
    return [probe for sentences in by_document for probe in _of_document(sentences, uses)]


def _sentences(document_id: str, document: Document) -> Iterator[_Sentence]:
    for block in document.blocks:
        if block.kind is not BlockKind.PROSE:
            continue
        for start, end in sentence_spans(document.text[block.start : block.end]):
            text = document.text[block.start + start : block.start + end]
            span = Span(document_id, block.start + start, block.start + end)
            yield _Sentence(text, span, frozenset(content_terms(text)))


def _of_document(sentences: Iterable[_Sentence], uses: Counter[str]) -> Iterator[Probe]:
    distinctive = [
        sentence
        for sentence in sentences
        if len(sentence.terms) in _SENTENCE_TERMS and sum(uses[term] == 1 for term in sentence.terms) >= _OWN_TERMS
    ]
    chosen = sorted(distinctive, key=lambda sentence: _hash(sentence.text))[:SENTENCES_PER_DOCUMENT]
    for sentence in sorted(chosen, key=lambda sentence: sentence.gold.start):
        yield Probe("sentence", _shortened(sentence.text, uses), sentence.gold)


def _shortened(sentence: str, uses: Counter[str]) -> str:
    """Leaves a third of the words out, chosen by their hashes; never the two rarest."""
    words = list(_words(sentence))
    rarity = [min((uses[term] for term in content_terms(word)), default=len(uses)) for word in words]
    by_rarity = sorted(range(len(words)), key=lambda place: (rarity[place], place))
    others = sorted(by_rarity[_OWN_TERMS:], key=lambda place: _hash(f"{sentence} {place}"))
    left_out = set(others[: max(1, len(words) // _LEFT_OUT)])
    return " ".join(word for place, word in enumerate(words) if place not in left_out)


def _words(sentence: str) -> Iterator[str]:
    """Words with blanks between them, and short pieces of Chinese, Japanese or Korean runs without their particles."""
    for match in _WORD.finditer(sentence):
        for is_run, chars in groupby(match[0], key=is_cjk):
            word = "".join(chars)
            if not is_run:
                yield word
                continue
            for run in re.split(f"[{_FUNCTION_CHARACTERS}]+", word):
                pieces = (run[i : i + _LONGEST_PIECE] for i in range(0, len(run), _LONGEST_PIECE))
                yield from (piece for piece in pieces if len(piece) > 1)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())
