"""`kb eval judge`: how well the answering model tells what sources bear out from what they do not.

It is calibrated as `kb calibrate` does it, with one part of the set that ships; the other part, whose passages it has
not seen, is what is reported.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from kb.answering.engines.calibrating import ENOUGH_LOOKS, calibrate, labelled_for_fitting, look
from kb.judging.calibration import Calibration
from kb.judging.labelled import LabelledLook, shipped_looks
from kb.judging.reliability import THRESHOLD, Reliability, measure
from kb.ports import LanguageModel
from kb.settings import Settings
from kb.wiring import load_answering_model
from server.measure.eval.asking import with_bar
from server.measure.eval.judge_set import read_labelled
from server.measure.eval.questions import spread_out
from server.terminal import console
from server.terminal.tables import figures

HELD_LOOKS = 300
"""So many of the held ones show what a calibration is worth."""


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """What came of a run.

    Attributes:
        model: Name of the answering model.
        groups: Figures of all, of each language and kind of look, and of each kind of truth and error.
        looks_seconds: Of a look, on the average.
    """

    model: str
    groups: dict[str, Reliability]
    looks_seconds: float


def evaluate_judge(
    settings: Settings, path: Path | None, limit: int | None, keep: Callable[[Calibration], None] = lambda _: None
) -> JudgeReport:
    """Calibrates the answering model, and has it look at each item of a set.

    Args:
        path: The set; None: the part of the shipped one that is held. Of a file in which nothing is held, all.
        limit: How many at most; and of each kind of look, how many to be calibrated with.
        keep: Is given the calibration.

    Raises:
        InvalidRequest: The set is none.
        ModelError: The model is missing, does not load, or cannot be looked into.
    """
    asked = read_labelled(path) if path else shipped_looks()
    asked = list(spread_out([each for each in asked if each.is_held] or asked, limit))
    fitted = labelled_for_fitting(min(limit or ENOUGH_LOOKS, ENOUGH_LOOKS))
    with closing(load_answering_model(settings, lambda progress: None)) as model:
        calibration = calibrate(model, with_bar(console.err, "calibrating", fitted))
        keep(calibration)
        began = time.monotonic()
        probabilities = [_probability(model, calibration, each) for each in with_bar(console.err, "looking", asked)]
        return JudgeReport(model.info.name, _groups(asked, probabilities), (time.monotonic() - began) / len(asked))


def show_report(out: Console, report: JudgeReport) -> None:
    """Draws it."""
    out.print(f"{report.model}; likelier than {THRESHOLD:.0%} counts as borne out", markup=False)
    header = ["", "looks", "true passed", "false passed", "precision", "AUC"]
    rows = ([name, str(each.items), *map(_written, _shares(each))] for name, each in report.groups.items())
    out.print(figures(header, rows))
    bins = (
        [f"{each.low:.1f}–{each.high:.1f}", str(each.items), *map(_written, (each.mean, each.true_share))]
        for each in report.groups["all"].bins
    )
    out.print(figures(["said to be likely", "looks", "mean", "true"], bins, ("said to be likely",)))
    out.print(f"{report.looks_seconds:.2f} s a look", style="dim")


def _shares(each: Reliability) -> tuple[float, ...]:
    return each.true_passed, each.false_passed, each.precision, each.auc


def _written(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _probability(model: LanguageModel, calibration: Calibration, labelled: LabelledLook) -> float:
    if labelled.kind not in calibration.looks:
        return 0.5
    (log_odds,) = calibration.log_odds(labelled.kind, look(model, labelled))
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def _groups(asked: list[LabelledLook], probabilities: list[float]) -> dict[str, Reliability]:
    def names_of(each: LabelledLook) -> set[str]:
        return {"all", each.language, each.kind, each.error}

    kinds = (sorted({getattr(each, name) for each in asked}) for name in ("language", "kind", "error"))
    return {
        name: measure([probabilities[n] for n in held], [asked[n].label for n in held])
        for name in dict.fromkeys(["all", *(name for names in kinds for name in names)])
        if (held := [n for n, each in enumerate(asked) if name in names_of(each)])
    }
