"""Whether a sentence says no more than some quotes say: its numbers and names, who did what, which way, yes or no.

Pure, for Chinese and English. It judges surfaces, not meaning: it can miss a support that is worded otherwise, and is
meant to err on that side.
"""

import re
from collections.abc import Container, Iterable, Sequence, Set
from dataclasses import dataclass

from kb.citing.analysed_text import AnalysedText
from kb.citing.opposites import directions, is_opposite
from kb.citing.swaps import is_turned_round, puts_in_place_of
from kb.text.quantities import SHARE, Quantity, are_among
from kb.text.scripts import HAN
from kb.text.terms import content_terms

_NEGATION = re.compile(
    r"\b(?:not(?!\s+(?:only|just|merely|simply)\b)|no|never|none|nor|neither|cannot|without|nobody|nothing|forbid\w*|prohibit\w*)\b|n['’]t\b"
    r"|不(?![仅但同断少过久管超])|没(?!收)|无(?![线论数])|未(?!来)|禁止|严禁|勿|非(?=会员|官方|法定|正式)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;:，；：、](?!\d)\s*|\s[–—-]\s")
_DOT = "[·•・‧∙]"
_PARTED_NAME = re.compile(rf"(?=({HAN.pattern}{{2}}{_DOT}{HAN.pattern}{{2}}))")
_YEAR = re.compile(r"[12]\d{3}(?:-|\Z)")
_SHARE_ASKED = re.compile(r"%|per ?cent|proportion|share|百分|比例|占", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Support:
    """What a sentence is held against.

    Attributes:
        quotes: Each of them one or more sentences of a document, side by side.
        sentences: The sentences of each quote.
        question: May hold names and numbers that the quotes replace by a pronoun, and ask for a share where the answer
            leaves the sign away.
        elsewhere: Terms of all that could have been quoted: what stands there, but in the place of something else in
            the sentence, is not paraphrased but mixed up.
        is_yes_or_no: Whether the question asks for no more than that.
    """

    quotes: Sequence[AnalysedText]
    sentences: Sequence[Sequence[AnalysedText]]
    question: AnalysedText
    elsewhere: Set[str] = frozenset()
    is_yes_or_no: bool = False


def is_borne_out(sentence: AnalysedText, support: Support) -> bool:
    """Whether nothing in a sentence of an answer speaks against its being what some quotes in its language say.

    A clause takes its names, its numbers and most of its words from one quote, and the numbers from one sentence of it,
    so that what is said about different things cannot lend it a half each. A name in another sentence must not have
    numbers of its own there.
    """
    quotes, question = support.quotes, support.question
    clauses = [AnalysedText(clause) for clause in _CLAUSE.split(sentence.text) if clause.strip()]
    names = sentence.names - question.terms
    shares = bool(_SHARE_ASKED.search(question.text))
    return (
        has_quantities(quotes, sentence.quantities, shares=shares)
        and all(_has_one_source(clause, names, support, shares=shares) for clause in clauses)
        and directions(sentence.text) <= directions("\n".join(quote.text for quote in quotes))
        and _parted_names(sentence.text) <= _parted_names("\n".join(one.text for one in (question, *quotes)))
        and is_negated(sentence.text) == is_negated(nearest := nearest_clause(sentence.text, quotes))
        and not is_opposite(sentence.text, nearest)
        and not any(is_turned_round(sentence.text, quote.text) for quote in quotes)
        and not any(_is_exchanged(sentence, quote, support) for quote in quotes)
    )


def has_quantities(quotes: Iterable[AnalysedText], said: Iterable[Quantity], *, shares: bool = False) -> bool:
    """Whether quotes hold the numbers of a statement.

    Args:
        shares: Whether a plain number may be a share: where that was asked for.
    """
    offered = {quantity for quote in quotes for quantity in quote.offered_quantities}
    if shares:
        offered |= {Quantity(quantity.value) for quantity in offered if quantity.unit == SHARE}
    return are_among(said, offered)


def nearest_clause(sentence: str, quotes: Iterable[AnalysedText]) -> str:
    """The clause of the quotes that has most words of a sentence."""
    terms = set(content_terms(sentence))
    clauses = [clause for quote in quotes for clause in _CLAUSE.split(quote.text)]
    return max(clauses, key=lambda clause: len(terms.intersection(content_terms(clause))), default="")


def is_negated(text: str) -> bool:
    """Whether a text denies something."""
    return bool(_NEGATION.search(text))


def _parted_names(text: str) -> set[str]:
    """Where foreign names in Chinese characters are parted by a dot: of 索尼娅·山克曼 it is 尼娅·山克."""
    return {re.sub(_DOT, "·", match[1]) for match in _PARTED_NAME.finditer(text)}


def _is_exchanged(sentence: AnalysedText, quote: AnalysedText, support: Support) -> bool:
    """Whether a sentence is a quote with something put in the place of something else.

    What the question says may stand for a pronoun, but not a name for another, nor what is asked after yes or no.
    """
    question = support.question
    doubtful = (question.terms if support.is_yes_or_no else question.names) - quote.terms
    return puts_in_place_of(sentence.text, quote.text, question.terms - doubtful, support.elsewhere | doubtful)


def _has_one_source(clause: AnalysedText, names: frozenset[str], support: Support, *, shares: bool) -> bool:
    own_names = names & frozenset(content_terms(clause.text))
    own_numbers = clause.quantities - support.question.quantities
    if not own_names and not own_numbers:
        return True
    return any(
        own_names <= quote.terms
        and any(
            has_quantities([sentence], own_numbers, shares=shares)
            and not (own_numbers and _is_about_others(own_names - sentence.terms, own_numbers, sentences))
            for sentence in sentences
        )
        and _has_most(clause, quote.terms | support.question.terms)
        for quote, sentences in zip(support.quotes, support.sentences, strict=True)
    )


def _is_about_others(names: frozenset[str], numbers: frozenset[Quantity], sentences: Iterable[AnalysedText]) -> bool:
    """Whether the sentences that hold names say other numbers of the same kind: those are what belongs to them."""
    kinds = {_kind(number) for number in numbers}
    return any(
        names & sentence.terms and kinds & {_kind(number) for number in sentence.quantities - numbers}
        for sentence in sentences
    )


def _kind(number: Quantity) -> tuple[str | None, bool]:
    return number.unit, bool(_YEAR.match(number.value))


def _has_most(clause: AnalysedText, terms: Container[str]) -> bool:
    held = [word.is_in(terms) for word in clause.content_words]
    return 2 * sum(held) >= len(held)
