"""`kb eval kinds --folder`: is each question answered as the kind that it is, and is the answer right?"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ingest.settings import IngestSettings
from kb.errors import InvalidRequest
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import Answer, AskOptions, Done
from server.measure.eval.asking import with_bar
from server.measure.eval.corpus import indexed, workplace
from server.measure.eval.kind_questions import Graded, KindQuestion, grade, read_kind_questions
from server.measure.eval.questions import spread_out
from server.terminal import console
from server.terminal.tables import figures


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A question with its answer, to be read by hand."""

    question: str
    group: str
    kind: str
    answer: str
    cited: tuple[str, ...]
    seconds: float
    graded: Graded


@dataclass(frozen=True, slots=True)
class KindScore:
    """The score of one group, or of all.

    Attributes:
        recall: Mean over questions with items or a list of documents; None: there are none.
    """

    group: str
    questions: int
    right_kind: float
    right: float
    recall: float | None
    precision: float | None


@dataclass(frozen=True, slots=True)
class KindAnswersReport:
    """What came of a run."""

    model: str
    scores: tuple[KindScore, ...]
    answers: tuple[AnsweredQuestion, ...]


def evaluate_kind_answers(
    settings: IngestSettings, folder: Path, path: Path | None, limit: int | None, base: Path | None
) -> KindAnswersReport:
    """Indexes a folder and asks it each question of a set.

    Args:
        path: The set; None: the one that ships, about `sample_docs`.
        limit: How many questions at most, spread over the set.
        base: A folder in which the index is kept; None: it is removed.

    Raises:
        InvalidRequest: The set or the folder cannot be used.
        ModelError: A model is missing, or does not load.
    """
    asked = list(spread_out(read_kind_questions(path), limit))
    if not asked:
        raise InvalidRequest("the set is empty", "give a file with questions, or none for the set that ships")
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is no folder", "name the folder that the questions are about")
    with workplace(base) as place, indexed(settings, place, [folder.resolve()], answering=True) as knowledge_base:
        answers = [_asked(knowledge_base, each) for each in with_bar(console.err, "asking", asked)]
        model = knowledge_base.models.answering().name
    return KindAnswersReport(model, tuple(scores(answers)), tuple(answers))


def scores(answers: Sequence[AnsweredQuestion]) -> Iterator[KindScore]:
    """The score of each group in the order of the set, and of all together."""
    for group in (*dict.fromkeys(each.group for each in answers), "all"):
        of_group = [each.graded for each in answers if group in (each.group, "all")]
        yield KindScore(
            group,
            len(of_group),
            sum(each.has_right_kind for each in of_group) / len(of_group),
            sum(each.is_right for each in of_group) / len(of_group),
            _mean([each.recall for each in of_group]),
            _mean([each.precision for each in of_group]),
        )


def show_kind_answers(out: Console, report: KindAnswersReport) -> None:
    """Draws it."""
    header = ["", "questions", "right kind", "right answer", "recall", "precision"]
    rows = (
        [
            each.group,
            str(each.questions),
            *map(_written, (each.right_kind, each.right, each.recall, each.precision)),
        ]
        for each in report.scores
    )
    out.print(report.model, markup=False)
    out.print(figures(header, rows, ("",)))


def _asked(knowledge_base: KnowledgeBase, asked: KindQuestion) -> AnsweredQuestion:
    began = time.monotonic()
    answer = Answer()
    for event in knowledge_base.ask_stream(asked.question, options=AskOptions(filters=asked.scope)):
        if isinstance(event, Done):
            answer = event.answer
    cited = tuple(dict.fromkeys(citation.source for citation in answer.citations))
    seconds = round(time.monotonic() - began, 1)
    return AnsweredQuestion(
        asked.question, asked.group, answer.kind, answer.answer, cited, seconds, grade(asked, answer)
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
