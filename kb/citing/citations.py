"""A sentence of the answer → the places in the passages that support it, checked.

Pure, but for an embedding function that may be passed in. Citations are made after the fact, because small models
cannot cite: the sentence is aligned to the sentences of the passages that hold most of its words and numbers.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

import numpy as np

from kb.citing.analysed_text import AddedContent, AnalysedText, ContentWord, TermRarity
from kb.citing.claims import Support, has_quantities, is_borne_out, is_negated, nearest_clause
from kb.citing.fragments import has_nearer_rival, is_of_kind_asked, is_open, polarity
from kb.citing.opposites import directions
from kb.citing.quotes import Quote, joined, quotes_of
from kb.ports import Vectors
from kb.text.languages import language
from kb.text.quantities import Quantity, are_among
from kb.text.sentences import Span
from kb.values.answers import Citation
from kb.values.passages import Passage, heading_path

VERIFIED_SCORE = 0.5
"""Quotes must hold this share of a sentence's words and numbers, weighed by rarity, to count as support."""

NEWS_SCORE = 0.75
"""The same for what a sentence adds to the question."""

SAID_SCORE = 0.9
"""The same for what a single sentence must hold of one, so that it is taken to be repeated."""

MAX_CITATIONS = 3
"""For one sentence."""

CROSS_LANGUAGE_SIMILARITY = 0.85
"""Cosine from which a sentence in another language counts as saying the same; unrelated ones lie near 0.75 to 0.8."""

_QUESTION_WEIGHT = 0.3  # so that a short answer such as a name finds the right place
_NEARBY_WEIGHT = 0.3
_NUMBER_WEIGHT = 1.5  # of the weight of a word that no quote has
_RANK_WEIGHT = 0.02

_GAIN = 0.15  # a further quote holds this much that the ones before do not
_OWN_SHARE = 0.25  # and this much in all, so that it is about the same

_ABOUT_QUESTION = 0.3
_ABOUT_QUESTION_OF_BEST = 0.9
_REPEATED_SHARE = 0.4
_SHORT_FRAGMENT = 3.5
_LONG_FRAGMENT = 8.0
_SHORT_NEWS = 4.0
_ANSWERING_SHARE = 0.3
_END = re.compile(r"[.!?。！？]\W*\Z")

EmbedSentences = Callable[[Sequence[str]], Vectors]


class Citer:
    """Makes the citations of one answer.

    Args:
        question: Judged together with a sentence that is too short to be judged alone.
        passages: What the answer was made from.
        embed: Sentences to `(n, d) float32`, unit norm; asked only where the words of a sentence match nothing, as
            when question and document are in different languages.
    """

    def __init__(self, question: str, passages: Sequence[Passage], embed: EmbedSentences | None = None) -> None:
        self._question = AnalysedText(question)
        self._quotes = quotes_of(passages)
        self._rarity = TermRarity([quote.analysed_text for quote in self._quotes])
        self._about_question = {quote: self._share_of_question(quote) for quote in self._quotes}
        self._embed = embed
        self._vectors: dict[Quote, Vectors] = {}
        self._cited: dict[tuple[str, int, int], int] = {}

    def cite(self, answer: str, span: Span) -> tuple[Citation, ...]:
        """Finds what supports a sentence.

        Args:
            answer: The answer as far as it is written.
            span: The sentence in it.

        Returns:
            One to three, the best place first, that support it together; where nothing does, the nearest place alone,
            not verified. None where there are no passages, or the sentence has no content.
        """
        sentence = AnalysedText(answer[slice(*span)])
        says = polarity(sentence.text, self._question.text)
        if not self._quotes or not (sentence.content_words or sentence.quantities or says):
            return ()
        claim = self._question if says else sentence
        quotes = self._choose(claim)
        score = self._share(claim, quotes)
        verified = self._confirms(quotes, score, says == "no") if says else self._is_supported(claim, quotes, score)
        if not verified and (nearest := self._nearest_in_meaning(claim)):
            quote, similarity = nearest
            is_meant = similarity >= CROSS_LANGUAGE_SIMILARITY and self._agrees_across_languages(claim, quote, says)
            if is_meant or score < VERIFIED_SCORE:
                quotes, score, verified = [quote], similarity, is_meant
        if verified and not says and self._is_supported(claim, quotes[:1], self._share(claim, quotes[:1])):
            quotes = quotes[:1]  # common words drew the others in
        kept = quotes if verified else quotes[:1]
        return tuple(self._citation(quote, span, verified, score) for quote in kept)

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

    def _is_supported(self, sentence: AnalysedText, quotes: Sequence[Quote], score: float) -> bool:
        support = Support(
            quotes=[quote.analysed_text for quote in quotes],
            sentences=[[one.analysed_text for one in self._within([quote])] for quote in quotes],
            question=self._question,
            elsewhere=self._rarity.terms,
            is_yes_or_no=not is_open(self._question.text),
        )
        added = AddedContent(sentence, self._question)
        return (
            score >= VERIFIED_SCORE
            and self._rarity.share(added.content_words, _terms(quotes)) >= NEWS_SCORE
            and is_borne_out(sentence, support)
            and self._answers_question(sentence, added, quotes)
        )

    def _answers_question(self, sentence: AnalysedText, added: AddedContent, quotes: Sequence[Quote]) -> bool:
        """Whether what a sentence says anew stands where the question is answered, if it is a reply to the question.

        A sentence that is in the documents as it is, or neither repeats the question nor is too short to be one, says
        something of its own.
        """
        question = self._question
        is_fragment = sentence.size <= (_LONG_FRAGMENT if not _END.search(sentence.text) else _SHORT_FRAGMENT)
        is_repeating = self._rarity.share(question.content_words, sentence.terms) >= _REPEATED_SHARE
        if not is_fragment and (not is_repeating or self._is_said(sentence, quotes)):
            return True
        if added.size == 0:
            return not is_open(question.text)
        least = max(_ABOUT_QUESTION, _ABOUT_QUESTION_OF_BEST * max(self._about_question.values()))
        answering = [quote for quote in self._within(quotes) if self._about_question[quote] >= least]
        held = self._share_of(added.content_words, added.quantities, answering)
        if added.size > _SHORT_NEWS:
            return held >= _ANSWERING_SHARE
        return (
            held >= NEWS_SCORE
            and is_of_kind_asked(sentence.text, question.text)
            and not any(has_nearer_rival(sentence.text, question, quote.analysed_text.text) for quote in answering)
        )

    def _is_said(self, sentence: AnalysedText, quotes: Sequence[Quote]) -> bool:
        """Whether one sentence of some quotes has nearly all words and numbers of a sentence."""
        return any(self._share(sentence, [quote]) >= SAID_SCORE for quote in self._within(quotes))

    def _within(self, quotes: Sequence[Quote]) -> list[Quote]:
        """The single sentences that quotes are made of."""
        return [quote for quote in self._quotes if any(quote.is_within(other) for other in quotes)]

    def _confirms(self, quotes: Sequence[Quote], score: float, denies: bool) -> bool:
        """Whether quotes say what the question asks, for a bare yes, or its opposite, for a no."""
        texts = [quote.analysed_text for quote in quotes]
        is_denied = is_negated(nearest_clause(self._question.text, texts)) != is_negated(self._question.text)
        return (
            score >= NEWS_SCORE
            and is_denied == denies
            and has_quantities(texts, self._question.quantities)
            and self._question.names <= _terms(quotes)
        )

    def _nearest_in_meaning(self, claim: AnalysedText) -> tuple[Quote, float] | None:
        """The quote in another language that is nearest to a claim, first of those with its numbers; and its cosine."""
        if self._embed is None or not (quotes := self._in_other_languages(language(claim.text))):
            return None
        similarities = self._vectors_of(quotes, self._embed) @ self._embed([claim.text])[0]

        def rank(place: int) -> tuple[bool, float]:
            return has_quantities([quotes[place].analysed_text], claim.quantities), float(similarities[place])

        best = max(range(len(quotes)), key=rank)
        return quotes[best], float(similarities[best])

    def _in_other_languages(self, spoken: str) -> list[Quote]:
        return [quote for quote in self._quotes if language(quote.analysed_text.text) != spoken]

    def _vectors_of(self, quotes: Sequence[Quote], embed: EmbedSentences) -> Vectors:
        """Embeds quotes, each of them once."""
        if new := [quote for quote in quotes if quote not in self._vectors]:
            self._vectors |= zip(new, embed([quote.analysed_text.text for quote in new]), strict=True)
        return np.stack([self._vectors[quote] for quote in quotes])

    def _agrees_across_languages(self, claim: AnalysedText, quote: Quote, says: Literal["yes", "no"] | None) -> bool:
        """Whether numbers, directions, a denial, and names in Latin letters, where both may write them, agree.

        A quote may deny something that the claim leaves out, but not where the claim is all of a question.
        """
        latin = {term for word in claim.content_words for term in word.terms if term.isascii() and len(term) > 1}
        names = latin if language(claim.text) == "zh" else frozenset[str]()
        is_denied = is_negated(quote.analysed_text.text)
        is_to_be_denied = is_negated(claim.text) != (says == "no")
        return (
            has_quantities([quote.analysed_text], claim.quantities)
            and names <= quote.analysed_text.terms | self._question.terms
            and directions(claim.text) <= directions(quote.analysed_text.text)
            and (is_denied if is_to_be_denied else not (is_denied and says))
        )

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

    def _citation(self, quote: Quote, span: Span, verified: bool, score: float) -> Citation:
        return Citation(
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
            verified=verified,
            score=round(min(1.0, max(0.0, score)), 3),
            page_label=quote.part.page_label,
        )


def _with(chosen: Sequence[Quote], further: Quote) -> list[Quote]:
    """Quotes and one more; where it stands beside one of them, the two become one."""
    for place, quote in enumerate(chosen):
        if pair := joined(quote, further):
            return [*chosen[:place], pair, *chosen[place + 1 :]]
    return [*chosen, further]


def _terms(quotes: Iterable[Quote]) -> frozenset[str]:
    return frozenset().union(*(quote.analysed_text.terms for quote in quotes))
