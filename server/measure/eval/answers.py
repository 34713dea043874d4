"""How good an answer is: against the wordings that count as right, and against the place it should cite. Pure.

Texts are compared as the script of SQuAD does: in lower case, without punctuation and English articles. Chinese,
Japanese and Korean characters are tokens of their own, as in the script of MLQA (its "mixed segmentation", Lewis et al.
2020), so that the same measures work for texts without blanks between words.
"""

import statistics
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.text.scripts import is_cjk
from kb.values.answers import Answer, Citation
from kb.values.passages import Passage
from server.measure.eval.metrics import share

_ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence of an answer with one of its citations, so that a person can judge the two.

    Attributes:
        verbatim: Whether the quote stands at its offsets.
        is_gold: Whether the citation points to where the answer stands.
    """

    sentence: str
    quote: str
    document_id: str
    start: int
    end: int
    verified: bool
    verbatim: bool
    is_gold: bool


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """What became of a question that was answered.

    Attributes:
        refused: The service said that the documents hold no answer.
        contains_gold: Whether one of the right wordings is in it; None where none is known.
        f1: Of the tokens, against the best of the right wordings; None where none is known.
        cites_gold: Whether its first citation points to where the answer stands; None for a refusal.
        cited: All citations, in the order of the answer.
        evidence: How likely the answer was taken to be there, in 0…1.
    """

    answer: str
    refused: bool
    contains_gold: bool | None
    f1: float | None
    cites_gold: bool | None
    finish_reason: str
    seconds: float
    prompt_tokens: int
    reasoning_tokens: int
    answer_tokens: int
    cited: tuple[CitedSentence, ...] = ()
    evidence: float = 0.0


def judge(answer: Answer, right: Sequence[str], is_gold: Callable[[Citation], bool]) -> AnswerOutcome:
    """Compares an answer with what is known to be right.

    Args:
        right: Wordings that count as right; may be empty.
        is_gold: Whether a citation points to where the answer stands.
    """
    refused = not answer.answerable
    text = "" if refused else answer.answer
    first = min(answer.citations, key=lambda citation: citation.number, default=None)
    return AnswerOutcome(
        answer=answer.answer,
        refused=refused,
        contains_gold=any(contains(text, gold) for gold in right) if right else None,
        f1=max(token_f1(text, gold) for gold in right) if right else None,
        cites_gold=None if refused else first is not None and is_gold(first),
        finish_reason=answer.finish_reason,
        seconds=answer.timings.total_ms / 1000,
        prompt_tokens=answer.timings.prompt_tokens,
        reasoning_tokens=answer.timings.reasoning_tokens,
        answer_tokens=answer.timings.answer_tokens,
        cited=tuple(_cited(answer, citation, is_gold) for citation in answer.citations),
        evidence=round(answer.evidence, 4),
    )


def answer_metrics(answerable: Sequence[AnswerOutcome], unanswerable: Sequence[AnswerOutcome]) -> dict[str, float]:
    """Measures over all answers; those that there is nothing to measure of are left out.

    Args:
        answerable: Of questions to which the documents hold an answer; a refusal counts as a wrong answer here.
        unanswerable: Of the others.
    """
    known = [outcome for outcome in answerable if outcome.contains_gold is not None]
    given = [outcome for outcome in answerable if not outcome.refused]
    correct = [outcome for outcome in given if outcome.contains_gold]
    metrics: dict[str, float] = {}
    if known:
        metrics["answer contains gold"] = share(bool(outcome.contains_gold) for outcome in known)
        metrics["answer f1"] = statistics.fmean(outcome.f1 or 0.0 for outcome in known)
    if given:
        metrics["first citation right"] = share(bool(outcome.cites_gold) for outcome in given)
    if correct:
        metrics["first citation right, of correct answers"] = share(bool(outcome.cites_gold) for outcome in correct)
    if answerable:
        metrics["refused answerable"] = share(outcome.refused for outcome in answerable)
    if unanswerable:
        metrics["refused unanswerable"] = share(outcome.refused for outcome in unanswerable)
    return metrics | _of_citations(answerable, unanswerable) | _costs([*answerable, *unanswerable])


def contains(answer: str, gold: str) -> bool:
    """Whether the tokens of a right wording stand in an answer, side by side; a wording without tokens never does."""
    wanted, found = tokens(gold), tokens(answer)
    size = len(wanted)
    return size > 0 and any(found[place : place + size] == wanted for place in range(len(found) - size + 1))


def token_f1(answer: str, gold: str) -> float:
    """The harmonic mean of the shares of tokens that answer and gold have in common, as SQuAD defines it.

    Where one of the two has no tokens, it is 1 if the other has none either, else 0.
    """
    found, wanted = tokens(answer), tokens(gold)
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    return 2 * common / (len(found) + len(wanted))


def tokens(text: str) -> list[str]:
    """Cuts a text into what is compared; see the module."""
    plain = "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if not _is_punctuation(char))
    spaced = "".join(f" {char} " if is_cjk(char) else char for char in plain)
    return [token for token in spaced.split() if token not in _ARTICLES]


def _is_punctuation(char: str) -> bool:
    """Whether SQuAD's script drops it (all ASCII signs), or it is punctuation of another script."""
    return unicodedata.category(char).startswith("P") or (char.isascii() and not char.isalnum() and not char.isspace())


def _cited(answer: Answer, citation: Citation, is_gold: Callable[[Citation], bool]) -> CitedSentence:
    return CitedSentence(
        sentence=(answer.draft or answer.answer)[citation.answer_start : citation.answer_end],
        quote=citation.quote,
        document_id=citation.document_id,
        start=citation.start,
        end=citation.end,
        verified=citation.verified,
        verbatim=any(_stands_in(citation, passage) for passage in answer.passages),
        is_gold=is_gold(citation),
    )


def _stands_in(citation: Citation, passage: Passage) -> bool:
    """Whether a quote is the text at its offsets, seen from the passage, which is the document's text at its own."""
    if citation.document_id != passage.document_id or citation.start < passage.start:
        return False
    return passage.text[citation.start - passage.start : citation.end - passage.start] == citation.quote


def _of_citations(answerable: Sequence[AnswerOutcome], unanswerable: Sequence[AnswerOutcome]) -> dict[str, float]:
    cited = [one for outcome in [*answerable, *unanswerable] for one in outcome.cited]
    if not cited:
        return {}
    metrics: dict[str, float] = {
        "citations_count": len(cited),
        "citations not verbatim_count": sum(not one.verbatim for one in cited),
        "citations verified": share(one.verified for one in cited),
    }
    if right := [one.verified for outcome in answerable if outcome.contains_gold for one in outcome.cited]:
        metrics["citations verified, of correct answers"] = share(right)
    wrong = [one.verified for outcome in answerable if outcome.contains_gold is False for one in outcome.cited]
    if wrong := wrong + [one.verified for outcome in unanswerable for one in outcome.cited]:
        metrics["citations verified, of other answers"] = share(wrong)
    return metrics


def _costs(outcomes: Sequence[AnswerOutcome]) -> dict[str, float]:
    if not outcomes:
        return {}
    return {
        "median_seconds": statistics.median(outcome.seconds for outcome in outcomes),
        "total_seconds": sum(outcome.seconds for outcome in outcomes),
        "median prompt_tokens": statistics.median(outcome.prompt_tokens for outcome in outcomes),
        "median reasoning_tokens": statistics.median(outcome.reasoning_tokens for outcome in outcomes),
        "median answer_tokens": statistics.median(outcome.answer_tokens for outcome in outcomes),
    }
