"""`kb eval kinds`: how well it is told from the embedding of a question what it is."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rich.console import Console

from kb.answering.understanding.decide import Decision
from kb.answering.understanding.features import features_of
from kb.answering.understanding.form import Form
from kb.answering.understanding.labelled_questions import LabelledQuestion, labelled, read_questions
from kb.answering.understanding.question_weights import classifier_for
from kb.errors import InvalidRequest
from kb.settings import Settings
from kb.values.answers import Operation, QuestionKind
from kb.wiring import load_embedder
from server.measure.eval.asking import with_bar
from server.measure.eval.questions import spread_out
from server.terminal import console
from server.terminal.tables import figures


@dataclass(frozen=True, slots=True)
class Score:
    """How well one choice is told, in one language.

    Attributes:
        language: Or `all`.
        right: Of all questions, the share of those with the right choice here.
        choice: Empty for all of them together.
        precision: None where it is never said.
        recall: None where it never is.
    """

    decision: str
    choice: str
    language: str
    questions: int
    right: float
    precision: float | None = None
    recall: float | None = None


@dataclass(frozen=True, slots=True)
class KindsReport:
    """What came of a run.

    Attributes:
        wrong: Questions of which something was told wrong, with what was told.
    """

    model: str
    scores: tuple[Score, ...]
    wrong: dict[str, Decision]


def evaluate_kinds(settings: Settings, path: Path | None, split: str, limit: int | None) -> KindsReport:
    """Decides about each question of a set.

    Args:
        path: The set; None: the part of those that ship which is named by `split`.
        limit: How many questions at most.

    Raises:
        InvalidRequest: The set is none, or empty.
        ModelError: The embedding model is missing, or does not load.
    """
    chosen = read_file(path) if path else [each for each in read_questions() if each.split == split]
    asked = list(spread_out(chosen, limit))
    if not asked:
        raise InvalidRequest(
            "the set is empty",
            "give a file with labelled questions; --split is fit, held, unseen, fresh, computed, stated or listed",
        )
    embedder = load_embedder(settings, lambda progress: None)
    classifier = classifier_for(settings.embedding_model, embedder)
    decided = [
        classifier.decide(features_of(each.question, embedder.embed_query(each.question)))
        for each in with_bar(console.err, "asking", asked)
    ]
    wrong = {each.question: got for each, got in zip(asked, decided, strict=True) if got != each.decision}
    return KindsReport(settings.embedding_model, tuple(scores(asked, decided)), wrong)


def show_report(out: Console, report: KindsReport) -> None:
    """Draws it."""
    header = ["", "", "language", "questions", "right", "precision", "recall"]
    rows = (
        [each.decision, each.choice, each.language, str(each.questions), *map(_written, _shares(each))]
        for each in report.scores
    )
    out.print(report.model, markup=False)
    out.print(figures(header, rows, ("", "language")))


def read_file(path: Path) -> list[LabelledQuestion]:
    """Reads a file of one JSON object a line. See `kb.answering.understanding.labelled_questions.labelled`.

    Raises:
        InvalidRequest: It cannot be read, or a line is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}", "give a file of JSON lines in UTF-8") from error
    return [_read(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def scores(asked: Sequence[LabelledQuestion], decided: Sequence[Decision]) -> Iterator[Score]:
    """The score of each choice, of all questions and in each language; leaning only where there is something before."""
    pairs = list(zip(asked, decided, strict=True))
    for language in ("all", *sorted({each.language for each in asked})):
        spoken = [pair for pair in pairs if language in ("all", pair[0].language)]
        followed = [pair for pair in spoken if pair[0].before]
        yield from filter(None, [_score("leans", "", language, followed, lambda decision: decision.leans)])
        leaning = [pair for pair in followed if pair[0].decision.leans]
        yield from filter(None, [_score("refers", "", language, leaning, lambda decision: decision.refers)])
        yield from filter(None, [_score("several", "", language, spoken, lambda decision: decision.several)])
        for name, choices in (
            ("kind", get_args(QuestionKind)),
            ("form", get_args(Form)),
            ("operation", get_args(Operation)),
        ):
            same = sum(getattr(each.decision, name) == getattr(got, name) for each, got in spoken)
            yield Score(name, "", language, len(spoken), same / len(spoken))
            for choice in choices:
                yield from filter(None, [_score(name, choice, language, spoken, _is(name, choice))])


def _is(name: str, choice: str) -> Callable[[Decision], bool]:
    return lambda decision: getattr(decision, name) == choice


def _score(
    decision: str,
    choice: str,
    language: str,
    pairs: Sequence[tuple[LabelledQuestion, Decision]],
    holds: Callable[[Decision], bool],
) -> Score | None:
    if not pairs:
        return None
    wanted, said = [holds(each.decision) for each, _ in pairs], [holds(got) for _, got in pairs]
    both = sum(one and other for one, other in zip(wanted, said, strict=True))
    right = sum(one == other for one, other in zip(wanted, said, strict=True)) / len(pairs)
    return Score(decision, choice, language, len(pairs), right, _share(both, sum(said)), _share(both, sum(wanted)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _read(path: Path, number: int, line: str) -> LabelledQuestion:
    try:
        return labelled(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRequest(
            f"line {number} of {path} is no labelled question: {error}",
            'write {"question": "…", "language": "en", "kind": "lookup", "form": "list"}, one a line',
        ) from error


def _shares(each: Score) -> tuple[float | None, ...]:
    return each.right, each.precision, each.recall


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
