"""`kb eval judge`: how well the answering model tells statements that sources bear out from those that they do not.

What its looks show is turned into probabilities by a logistic regression on one part of the set; the other part, whose
passages it has not seen, is what is reported.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from kb.errors import InvalidRequest, ModelError
from kb.judging.reliability import THRESHOLD, Reliability, measure
from kb.judging.support import is_answer, looks_at
from kb.judging.weights import fit
from kb.ports import LanguageModel, Looker
from kb.settings import Settings
from kb.values.chat import GenerationOptions, Looked
from kb.wiring import load_answering_model
from server.measure.eval.asking import with_bar
from server.measure.eval.judge_set import LabelledStatement, read_statements, shipped_statements
from server.measure.eval.questions import spread_out
from server.terminal import console
from server.terminal.tables import figures


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What came of a run.

    Attributes:
        model: Name of the answering model.
        groups: Figures of all, of each language, and of each kind of truth and error.
        looks_seconds: Of a look, on the average.
    """

    model: str
    groups: dict[str, Reliability]
    looks_seconds: float


def evaluate_judge(settings: Settings, path: Path | None, limit: int | None) -> JudgeReport:
    """Looks at each statement of a set.

    Args:
        path: The set; None: the one that ships. Where no part of it is held, all of it is reported.
        limit: How many statements at most.

    Raises:
        InvalidRequest: The set is none, or too small; or the model cannot be looked into.
        ModelError: The model is missing, or does not load.
    """
    shipped = shipped_statements()
    asked = read_statements(path) if path else shipped
    asked = list(spread_out([each for each in asked if each.is_held] or asked, limit))
    if not asked:
        raise InvalidRequest("the set is empty", "give a file with labelled statements")
    with closing(load_answering_model(settings, lambda progress: None)) as model:
        if not isinstance(model, Looker):
            raise InvalidRequest(f"{model.info.name} cannot be looked into", "choose a model that runs on this machine")
        began = time.monotonic()
        fitted = list(spread_out([each for each in shipped if not each.is_held], limit))
        margins = list(_margins(model, [*fitted, *asked]))
        seconds = (time.monotonic() - began) / len(margins)
        probabilities = _probabilities(fitted, asked, margins)
        return JudgeReport(model.info.name, _groups(asked, probabilities), seconds)


def show_report(out: Console, report: JudgeReport) -> None:
    """Draws it."""
    out.print(f"{report.model}; likelier than {THRESHOLD:.0%} counts as borne out", markup=False)
    header = ["", "statements", "true passed", "false passed", "precision", "AUC"]
    rows = ([name, str(each.items), *map(_written, _shares(each))] for name, each in report.groups.items())
    out.print(figures(header, rows))
    bins = (
        [f"{each.low:.1f}–{each.high:.1f}", str(each.items), *map(_written, (each.mean, each.true_share))]
        for each in report.groups["all"].bins
    )
    out.print(figures(["said to be likely", "statements", "mean", "true"], bins, ("said to be likely",)))
    out.print(f"{report.looks_seconds:.2f} s a statement", style="dim")


def _shares(each: Reliability) -> tuple[float, ...]:
    return each.true_passed, each.false_passed, each.precision, each.auc


def _written(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _margins(model: LanguageModel, statements: Sequence[LabelledStatement]) -> Iterator[list[float]]:
    assert isinstance(model, Looker)
    for each in with_bar(console.err, "looking", statements):
        looks = looks_at(each.passages, each.statement, each.question)
        stream = model.stream_after_looks(looks, (), GenerationOptions())
        with closing(stream):
            looked = next((item for item in stream if isinstance(item, Looked)), None)
        if looked is None:
            raise ModelError("the model took too long to look", "try again when it has less to do")
        yield list(looked.margins)


def _probabilities(
    fitted: Sequence[LabelledStatement], asked: Sequence[LabelledStatement], margins: Sequence[list[float]]
) -> list[float]:
    """What the looks have shown, weighed apart for answers and for whole sentences: their looks differ."""
    are_answers = [is_answer(each.statement, each.question) for each in (*fitted, *asked)]
    probabilities = np.full(len(asked), 0.5)
    for kind in (False, True):
        known = [n for n in range(len(fitted)) if are_answers[n] == kind]
        wanted = [n for n in range(len(asked)) if are_answers[len(fitted) + n] == kind]
        if known and wanted:
            weights = fit([margins[n] for n in known], [fitted[n].label for n in known])
            log_odds = weights.log_odds([margins[len(fitted) + n] for n in wanted])
            probabilities[wanted] = 1.0 / (1.0 + np.exp(-log_odds))
    return [float(each) for each in probabilities]


def _groups(statements: Sequence[LabelledStatement], probabilities: Sequence[float]) -> dict[str, Reliability]:
    names = ["all", *sorted({each.language for each in statements}), *sorted({each.kind for each in statements})]
    return {
        name: measure([probabilities[n] for n in held], [statements[n].label for n in held])
        for name in names
        if (held := [n for n, each in enumerate(statements) if name in ("all", each.language, each.kind)])
    }
