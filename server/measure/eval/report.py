"""Tables of runs for the terminal: one run beside the one before it, and the history."""

from collections.abc import Sequence

from rich.console import Console

from server.measure.eval.runs import Result, Run
from server.terminal.tables import figures

_UNITS = {"seconds": " s", "tokens": "", "count": ""}
_HEADLINES = 4
"""Measures shown in a line of the history: the first ones, which are of the search."""
_ANSWER_HEADLINES = ("answer contains gold", "citations verified", "refused answerable", "refused, article gone")
"""Those beside them, as far as answers were made."""


def show_result(console: Console, result: Result, previous: Run | None) -> None:
    """Draws a run.

    Args:
        previous: The run over the same set before this one.
    """
    run = result.run
    console.print(describe_set(run), markup=False)
    for note in result.notes:
        console.print(note, markup=False, style="dim")
    header = ["", "now", *([_moment(previous), "difference"] if previous else [])]
    console.print(figures(header, (_row(name, value, previous) for name, value in run.metrics.items())))
    if previous and (changes := setup_changes(previous, run)):
        console.print(f"changed since then: {', '.join(changes)}", markup=False)
    console.print(f"{run.seconds:.1f} s", style="dim")


def show_history(console: Console, runs: Sequence[Run]) -> None:
    """Lists runs, oldest first."""
    for run in runs:
        when = _moment(run)
        names = [*list(run.metrics)[:_HEADLINES], *(name for name in _ANSWER_HEADLINES if name in run.metrics)]
        measures = [f"{_spoken(name)} {written(name, run.metrics[name])}" for name in dict.fromkeys(names)]
        models = [str(run.setup.get(name, "")) for name in ("embedding_model", "reranker", "model")]
        console.print(f"{when}  {describe_set(run)}", markup=False)
        console.print(" " * len(when), " · ".join(filter(None, [*measures, *models])), markup=False, style="dim")


def _row(name: str, value: float, previous: Run | None) -> list[str]:
    row = [_spoken(name), written(name, value)]
    if previous is None:
        return row
    before = previous.metrics.get(name)
    return [*row, *(["-", ""] if before is None else [written(name, before), _difference(name, value - before)])]


def _moment(run: Run) -> str:
    return run.when[:16].replace("T", " ")


def describe_set(run: Run) -> str:
    """Says in a line what was asked."""
    tested = run.set
    counts = [f"{tested.questions:,} questions"]
    counts += [f"{tested.paragraphs:,} paragraphs"] if tested.paragraphs else []
    counts += [f"{tested.documents:,} documents"]
    options = f" ({tested.options})" if tested.options else ""
    return f"{tested.command} {tested.name}{options}: {', '.join(counts)}"


def written(name: str, value: float) -> str:
    """A measure as a person reads it."""
    unit = name.rpartition("_")[2]
    if unit == "count":
        return f"{value:,.0f}"
    if unit in _UNITS:
        return f"{value:,.1f}{_UNITS[unit]}" if unit == "seconds" else f"{value:,.0f}"
    return f"{value:.3f}"


def setup_changes(before: Run, after: Run) -> list[str]:
    """What is set otherwise in the second of two runs."""
    names = dict.fromkeys([*before.setup, *after.setup])
    pairs = ((name, before.setup.get(name, ""), after.setup.get(name, "")) for name in names)
    return [f"{name} {_value(old)} → {_value(new)}" for name, old, new in pairs if old != new]


def _difference(name: str, difference: float) -> str:
    text = written(name, abs(difference))
    return "=" if text == written(name, 0.0) else f"{'+' if difference > 0 else '−'}{text}"


def _spoken(name: str) -> str:
    words, _, unit = name.rpartition("_")
    return words.replace("_", " ") if unit in _UNITS else name


def _value(value: object) -> str:
    return str(value) if value != "" else "none"
