"""A statement of an answer → the places in the passages that it is held against, and what they lack for sure.

Pure, but for an embedding function that may be passed in. Citations are made after the fact, because small models
cannot cite: the statement is aligned to the sentences of the passages that hold most of its words and numbers. Whether
these bear it out is for a judge that reads (`kb.judging`); here is only settled what needs no reading: that a place
says the very same, or has not a number or a name that the statement has.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kb.citing.analysed_text import AddedContent, AnalysedText, ContentWord, TermRarity
from kb.citing.quotes import Quote, joined, quotes_of
from kb.ports import Vectors
from kb.text.languages import language
from kb.text.quantities import SHARE, Quantity, are_among
from kb.text.scripts import in_one_writing
from kb.text.sentences import Span
from kb.values.answers import Citation, Verdict
from kb.values.passages import Passage, heading_path

MAX_CITATIONS = 3
"""For one statement."""

CROSS_LANGUAGE_SIMILARITY = 0.85
"""Cosine from which a sentence in another language is about the same; unrelated ones lie near 0.75 to 0.8."""

_FEW_WORDS = 0.5
"""Where less of a statement than this share of its words is found, it may be said in another language."""

_QUESTION_WEIGHT = 0.3  # so that a short answer such as a name finds the right place
_NEARBY_WEIGHT = 0.3
_NUMBER_WEIGHT = 1.5  # of the weight of a word that no quote has
_RANK_WEIGHT = 0.02

_GAIN = 0.15  # a further quote holds this much that the ones before do not
_OWN_SHARE = 0.25  # and this much in all, so that it is about the same

_SAME_LENGTH = 0.8  # of what a sentence says in other words around it, it may say the opposite

EmbedSentences = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a statement is held against.

    Attributes:
        quotes: One to three, the best first.
        score: How much of the words and numbers they hold, in 0…1; across languages the cosine.
        is_said: Whether one of them is the statement, word for word.
        lacks: Whether it has a number, or a name in Latin letters, that none of them has.
    """

    quotes: tuple[Quote, ...]
    score: float
    is_said: bool
    lacks: bool


class Citer:
    """Makes the citations of one answer.

    Args:
        question: Aligned together with a statement that is too short to be aligned alone.
        passages: What the answer was made from.
        embed: Sentences to `(n, d) float32`, unit norm; asked only where the words of a statement match nothing, as
            when answer and document are in different languages.
    """

    def __init__(self, question: str, passages: Sequence[Passage], embed: EmbedSentences | None = None) -> None:
        self._question = AnalysedText(question)
        self._quotes = quotes_of(passages)
        self._rarity = TermRarity([quote.analysed_text for quote in self._quotes])
        self._about_question = {quote: self._share_of_question(quote) for quote in self._quotes}
        self._embed = embed
        self._vectors: dict[Quote, Vectors] = {}
        self._cited: dict[tuple[str, int, int], int] = {}

    def align(self, text: str) -> Alignment | None:
        """Finds the places that a statement is held against; None where there are no passages."""
        if not self._quotes:
            return None
        statement = AnalysedText(text)
        claim = statement if statement.content_words or statement.quantities else self._question
        quotes = self._choose(claim)
        score = self._share(claim, quotes)
        if score < _FEW_WORDS and (nearest := self._nearest_in_meaning(claim)):
            quotes, score = [nearest[0]], nearest[1]
        texts = [quote.analysed_text for quote in quotes]
        is_said = any(_says_the_same(text, quote.analysed_text.text) for quote in self._within(quotes))
        return Alignment(tuple(quotes), score, is_said, self._lacks(statement, texts))

    def citations(
        self, alignment: Alignment, span: Span, verdict: Verdict, probability: float | None = None
    ) -> tuple[Citation, ...]:
        """Writes down what came of a statement.

        Args:
            span: Where it stands in the answer.
            probability: That it is borne out; None: nobody has judged.
        """
        return tuple(
            Citation(
                number=self._cited.setdefault(quote.key, len(self._cited) + 1),
                document_id=quote.passage.document_id,
                title=quote.passage.title,
                source=quote.passage.source,
                page=quote.part.page,
                heading=heading_path(quote.part.headings),
                quote=quote.analysed_text.text,
                start=quote.start,
                end=quote.end,
                answer_start=span[0],
                answer_end=span[1],
                verified=verdict == "supported",
                score=round(min(1.0, max(0.0, alignment.score)), 3),
                verdict=verdict,
                probability=None if probability is None else round(probability, 3),
                page_label=quote.part.page_label,
                by_ocr=quote.part.by_ocr,
            )
            for quote in (alignment.quotes if verdict == "supported" else alignment.quotes[:1])
        )

    def _choose(self, claim: AnalysedText) -> list[Quote]:
        """The best place, then greedily those that hold what is still missing; neighbours become one quote."""
        shares = {quote: self._share(claim, [quote]) for quote in self._quotes}

        def rank(quote: Quote) -> float:
            about_question = _QUESTION_WEIGHT * self._about_question[quote]
            return shares[quote] + about_question - _RANK_WEIGHT * (quote.passage.number - 1)

        best = max(self._quotes, key=rank)
        chosen = [best]
        added = AddedContent(claim, self._question)
        useful = [
            quote
            for quote in sorted(self._quotes, key=rank, reverse=True)
            if shares[quote] >= _OWN_SHARE and (joined(best, quote) or self._holds_some(added, quote))
        ]
        for _ in range(MAX_CITATIONS - 1):
            held = self._share(claim, chosen)
            gains = [(self._share(claim, [*chosen, quote]) - held, quote) for quote in useful]
            gain, further = max(gains, key=lambda one: one[0], default=(0.0, best))
            if gain < _GAIN:
                break
            chosen = _with(chosen, further)
        return chosen

    def _holds_some(self, added: AddedContent, quote: Quote) -> bool:
        """Whether a quote says anything that is new; what only repeats the question may be about something else."""
        return not added.size or self._share_of(added.content_words, added.quantities, [quote]) > 0

    def _within(self, quotes: Sequence[Quote]) -> list[Quote]:
        """The single sentences that quotes are made of."""
        return [quote for quote in self._quotes if any(quote.is_within(other) for other in quotes)]

    def _lacks(self, statement: AnalysedText, quotes: Sequence[AnalysedText]) -> bool:
        """Whether a statement has a number or a name that neither quotes nor question have; a share may lose its sign,
        and a name may be written in other letters in another language."""
        offered = {quantity for text in quotes for quantity in text.offered_quantities} | self._question.quantities
        offered |= {Quantity(quantity.value) for quantity in offered if quantity.unit == SHARE}
        terms = {term for text in (*quotes, self._question) for term in text.terms}
        is_in_one_language = all(language(text.text) == language(statement.text) for text in quotes)
        return not are_among(statement.quantities, offered) or (is_in_one_language and not statement.names <= terms)

    def _nearest_in_meaning(self, claim: AnalysedText) -> tuple[Quote, float] | None:
        """The quote in another language that is nearest to a claim, and its cosine; None if none is near."""
        spoken = language(claim.text)
        quotes = [quote for quote in self._quotes if language(quote.analysed_text.text) != spoken]
        if self._embed is None or not quotes:
            return None
        similarities = self._vectors_of(quotes, self._embed) @ self._embed([claim.text])[0]
        best = int(similarities.argmax())
        near = float(similarities[best])
        return (quotes[best], near) if near >= CROSS_LANGUAGE_SIMILARITY else None

    def _vectors_of(self, quotes: Sequence[Quote], embed: EmbedSentences) -> Vectors:
        """Embeds quotes, each of them once."""
        if new := [quote for quote in quotes if quote not in self._vectors]:
            self._vectors |= zip(new, embed([quote.analysed_text.text for quote in new]), strict=True)
        return np.stack([self._vectors[quote] for quote in quotes])

    def _share_of_question(self, quote: Quote) -> float:
        own = self._rarity.share(self._question.content_words, quote.analysed_text.terms)
        around = self._rarity.share(self._question.content_words, quote.nearby)
        return own + _NEARBY_WEIGHT * (around - own)

    def _share(self, claim: AnalysedText, quotes: Sequence[Quote]) -> float:
        return self._share_of(claim.content_words, claim.quantities, quotes)

    def _share_of(
        self, content_words: Sequence[ContentWord], numbers: Collection[Quantity], quotes: Sequence[Quote]
    ) -> float:
        """The share of words and numbers, weighed by rarity, that some quotes hold together."""
        said, total = self._rarity.weights(content_words, _terms(quotes))
        for number in numbers:
            total += _NUMBER_WEIGHT
            said += _NUMBER_WEIGHT * any(
                are_among([number], quote.analysed_text.offered_quantities) for quote in quotes
            )
        return said / total if total else 0.0


def _says_the_same(statement: str, quote: str) -> bool:
    ours, theirs = ("".join(filter(str.isalnum, in_one_writing(text).lower())) for text in (statement, quote))
    return bool(ours) and ours in theirs and len(ours) >= _SAME_LENGTH * len(theirs)


def _with(chosen: Sequence[Quote], further: Quote) -> list[Quote]:
    """Quotes and one more; where it stands beside one of them, the two become one."""
    for place, quote in enumerate(chosen):
        if pair := joined(quote, further):
            return [*chosen[:place], pair, *chosen[place + 1 :]]
    return [*chosen, further]


def _terms(quotes: Iterable[Quote]) -> frozenset[str]:
    return frozenset(term for quote in quotes for term in quote.analysed_text.terms)
