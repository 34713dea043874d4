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

from kb.text import is_cjk
from kb.types import Answer, Citation
from server.evaluation.metrics import share

_ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """What became of a question that was answered.

    Attributes:
        refused: The service said that the documents hold no answer.
        contains_gold: Whether one of the right wordings is in it; None where none is known.
        f1: Of the tokens, against the best of the right wordings; None where none is known.
        cites_gold: Whether its first citation points to where the answer stands; None for a refusal.
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
    return metrics | _costs([*answerable, *unanswerable])


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
