"""Asks the questions of a test set, whatever kind it is of, and adds up what became of them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from kb.errors import InvalidRequest, PromptTooLong
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AskOptions, Citation, PassagesFound
from kb.values.passages import Passage
from server.measure.eval.answers import AnswerOutcome, answer_metrics, judge
from server.measure.eval.asking import with_bar
from server.measure.eval.metrics import Metrics, ranking_metrics
from server.measure.eval.questions import Question
from server.terminal import console

PASSAGES = 20
"""Passages that are asked for; their parts cover ten paragraphs and more."""

Ranks = Mapping[str, int | None]
"""By what is ranked (paragraphs, files, pages): the 1-based rank of the right one, or None."""

PARAGRAPH = "paragraph"
"""What is ranked where nothing else is said: measures of it have no name before theirs."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and how what comes back is judged.

    Attributes:
        rank: Finds the right thing among passages, best first.
        is_gold: Whether a citation points to where the answer stands.
    """

    question: Question
    rank: Callable[[Sequence[Passage]], Ranks]
    is_gold: Callable[[Citation], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question.

    Attributes:
        ranks: Empty where nothing would be right.
        answer: None where no answers were made.
        error: Why the question was not answered; empty where it was.
    """

    id: str
    question: str
    answerable: bool
    ranks: Ranks
    answer: AnswerOutcome | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """All questions of a set.

    Attributes:
        seconds: What asking took.
    """

    outcomes: tuple[Outcome, ...]
    metrics: Metrics
    seconds: float


def measure(knowledge_base: KnowledgeBase, cases: Sequence[Case], *, answers: bool) -> Measured:
    """Asks all questions, one after the other.

    A question that the service does not take is an outcome like others; what would fail for all of them is raised.

    Args:
        answers: Whether they are answered, too, and not only looked for.

    Raises:
        ModelError: A model is missing, or does not load.
    """
    began = time.monotonic()
    outcomes = tuple(_outcome(knowledge_base, case, answers) for case in with_bar(console.err, "asking", cases))
    seconds = time.monotonic() - began
    return Measured(outcomes, _metrics(outcomes), seconds)


def _outcome(knowledge_base: KnowledgeBase, case: Case, answers: bool) -> Outcome:
    question = case.question
    ranks: Ranks = {}
    try:
        if question.answerable:
            ranks = case.rank(())  # what is not taken is not found
            ranks = case.rank(_found(knowledge_base, question.text))
        answer = judge(knowledge_base.ask(question.text), question.answers, case.is_gold) if answers else None
    except (InvalidRequest, PromptTooLong) as error:
        return Outcome(question.id, question.text, question.answerable, ranks, error=error.message)
    return Outcome(question.id, question.text, question.answerable, ranks, answer)


def _found(knowledge_base: KnowledgeBase, question: str) -> Sequence[Passage]:
    """What is found for a question; as thoroughly as is set."""
    if knowledge_base.settings.effort != "thorough":
        return knowledge_base.search(question, PASSAGES)
    with closing(knowledge_base.ask_stream(question, options=AskOptions(top_k=PASSAGES, kind="lookup"))) as events:
        return next(event.passages for event in events if isinstance(event, PassagesFound))


def _metrics(outcomes: Iterable[Outcome]) -> dict[str, float]:
    outcomes = list(outcomes)
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.ranks)
    metrics: dict[str, float] = {}
    for name in names:
        ranks = [outcome.ranks[name] for outcome in outcomes if name in outcome.ranks]
        metrics |= ranking_metrics(ranks, "" if name == PARAGRAPH else name)
    answered = [(outcome.answerable, outcome.answer) for outcome in outcomes if outcome.answer]
    metrics |= answer_metrics(
        [answer for answerable, answer in answered if answerable],
        [answer for answerable, answer in answered if not answerable],
    )
    if errors := sum(bool(outcome.error) for outcome in outcomes):
        metrics["not taken_count"] = errors
    return metrics
