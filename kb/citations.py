"""A sentence of the answer → the place in the passages that supports it, checked.

Pure, but for an embedding function that may be passed in. Citations are made after the fact, because small models
cannot cite: the sentence is aligned to the sentence of the passages that shares most of its content. Each quote is cut
from a passage by its offsets, so it stands verbatim in the document.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kb.claims import is_borne_out, quantities
from kb.ports import Vectors
from kb.text import Span, content_terms, language, sentence_spans
from kb.types import Citation, Passage, heading_path

VERIFIED_SCORE = 0.5
"""A quote must hold this share of a sentence's content, weighed by rarity, to count as support."""

QUESTION_WEIGHT = 0.3
"""What the question's words count in choosing a quote, so that a short answer such as a name finds the right place."""

CROSS_LANGUAGE_SIMILARITY = 0.85
"""Cosine from which a sentence in another language counts as saying the same; unrelated ones lie near 0.75 to 0.8."""

_WINDOW_GAIN = 0.2
_RANK_WEIGHT = 0.02
_MAX_QUOTE_CHARS = 600
_LINE = re.compile(rf"\S.{{0,{_MAX_QUOTE_CHARS - 1}}}(?<!\s)")

EmbedSentences = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    start: int
    end: int
    quote: str
    context: str
    terms: frozenset[str]


class Citer:
    """Makes the citations of one answer.

    Args:
        question: Judged together with a sentence that is too short to be judged alone.
        passages: What the answer was made from.
        embed: Sentences to `(n, d) float32`, unit norm; asked only where the words of a sentence match nothing, as
            when question and document are in different languages.
    """

    def __init__(self, question: str, passages: Sequence[Passage], embed: EmbedSentences | None = None) -> None:
        self._question_terms = frozenset(content_terms(question))
        self._question = question
        self._candidates = [candidate for passage in passages for candidate in _candidates(passage)]
        frequency = Counter(term for candidate in self._candidates for term in candidate.terms)
        self._weights = {term: math.log1p(len(self._candidates) / count) for term, count in frequency.items()}
        self._unseen_weight = math.log1p(max(1, len(self._candidates)))
        self._embed = embed
        self._vectors: Vectors | None = None
        self._cited: dict[tuple[str, int, int], int] = {}

    def cite(self, answer: str, span: Span) -> Citation | None:
        """Finds what supports a sentence.

        Args:
            answer: The answer as far as it is written.
            span: The sentence in it.

        Returns:
            None where there are no passages, or the sentence has no content.
        """
        sentence = answer[slice(*span)]
        terms = frozenset(content_terms(sentence))
        if not self._candidates or not terms:
            return None
        best, score = self._best_by_words(terms)
        verified = score >= VERIFIED_SCORE and is_borne_out(sentence, best.quote, best.context, self._question)
        if not verified and self._embed is not None and language(sentence) != language(best.quote):
            best, score = self._best_by_meaning(sentence)
            said = quantities(f"{best.context}\n{best.quote}")
            verified = score >= CROSS_LANGUAGE_SIMILARITY and quantities(sentence) <= said
        return self._citation(best, span, verified, score)

    def _best_by_words(self, terms: frozenset[str]) -> tuple[_Candidate, float]:
        def rank(candidate: _Candidate) -> float:
            about_question = self._coverage(self._question_terms, candidate.terms)
            place = _RANK_WEIGHT * (candidate.passage.number - 1)
            return self._coverage(terms, candidate.terms) + QUESTION_WEIGHT * about_question - place

        best = max(self._candidates, key=rank)
        score = self._coverage(terms, best.terms)
        wider = [self._joined(best, other) for other in self._candidates if _follows(best, other)]
        gains = [(self._coverage(terms, pair.terms), pair) for pair in wider if len(pair.quote) <= _MAX_QUOTE_CHARS]
        wider_score, pair = max(gains, key=lambda gain: gain[0], default=(0.0, best))
        return (pair, wider_score) if wider_score >= score + _WINDOW_GAIN else (best, score)

    def _best_by_meaning(self, sentence: str) -> tuple[_Candidate, float]:
        assert self._embed is not None
        if self._vectors is None:
            self._vectors = self._embed([candidate.quote for candidate in self._candidates])
        similarities = self._vectors @ self._embed([sentence])[0]
        best = int(np.argmax(similarities))
        return self._candidates[best], float(similarities[best])

    def _coverage(self, terms: Iterable[str], found_in: frozenset[str]) -> float:
        weights = [(self._weights.get(term, self._unseen_weight), term in found_in) for term in terms]
        total = sum(weight for weight, _ in weights)
        return sum(weight for weight, found in weights if found) / total if total else 0.0

    def _joined(self, one: _Candidate, other: _Candidate) -> _Candidate:
        first, last = sorted((one, other), key=lambda candidate: candidate.start)
        passage = one.passage
        return replace(
            first,
            end=last.end,
            quote=passage.text[first.start - passage.start : last.end - passage.start],
            terms=first.terms | last.terms,
        )

    def _citation(self, best: _Candidate, span: Span, verified: bool, score: float) -> Citation:
        part = best.passage.part_at(best.start)
        key = (best.passage.document_id, best.start, best.end)
        return Citation(
            number=self._cited.setdefault(key, len(self._cited) + 1),
            document_id=best.passage.document_id,
            title=best.passage.title,
            source=best.passage.source,
            page=part.page,
            heading=heading_path(part.headings),
            quote=best.quote,
            start=best.start,
            end=best.end,
            answer_start=span[0],
            answer_end=span[1],
            verified=verified,
            score=round(min(1.0, max(0.0, score)), 3),
        )


def _candidates(passage: Passage) -> Iterator[_Candidate]:
    for part in passage.parts:
        context = heading_path([passage.title, *part.headings])
        about = frozenset(content_terms(heading_path(part.headings)))
        for start, end in _quotable_spans(passage.text[part.start - passage.start : part.end - passage.start]):
            start, end = part.start + start, part.start + end
            quote = passage.text[start - passage.start : end - passage.start]
            terms = frozenset(content_terms(quote))
            if terms and not quote.startswith("#"):
                yield _Candidate(passage, start, end, quote, context, terms | about)


def _quotable_spans(text: str) -> Iterator[Span]:
    """The sentences of a text; one that is very long, such as a block of code, is cut into its lines."""
    for start, end in sentence_spans(text):
        if end - start <= _MAX_QUOTE_CHARS:
            yield start, end
        else:
            for line in _LINE.finditer(text, start, end):
                yield line.span()


def _follows(one: _Candidate, other: _Candidate) -> bool:
    if one.passage is not other.passage or one.start == other.start:
        return False
    first, last = (one, other) if one.start < other.start else (other, one)
    between = one.passage.text[first.end - one.passage.start : last.start - one.passage.start]
    return not between.strip()
