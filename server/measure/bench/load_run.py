"""Many who ask at once, against the same questions one after the other.

Each side has a run of the service of its own, since what was read stays in the cache. An asker who is told to come back
later does so when told. An answer is mixed up where its passages are others than those of the same question alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from kb.errors import KBError, ModelBusy
from server.measure.bench.comparison import Comparison
from server.measure.bench.memory import peak_bytes
from server.measure.bench.service import Asked, Served, ask, wait_until_at_rest
from server.terminal import console

KINDS = ("lookup", "parts", "inventory")
"""Those that take a few requests to the model at most."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What became of the questions, in their order; None: lost."""

    asked: list[Asked | None]
    seconds: float
    peak_bytes: int


def compare_load(
    start: Callable[[], AbstractContextManager[Served]], questions: Sequence[str], warm_up: str
) -> list[Comparison]:
    """Asks all questions at once, and one after the other.

    Args:
        start: Starts the service, with the same documents each time.
        warm_up: Asked before.
    """
    plain, ours = _run(start, questions, warm_up, 1), _run(start, questions, warm_up, len(questions))
    answered = [(one, other) for one, other in zip(plain.asked, ours.asked, strict=True) if one and other]
    figures = zip(_figures(ours), _figures(plain), strict=True)
    return [
        *(Comparison(what, own, other, "one after the other") for (what, own), (_, other) in figures),
        Comparison("questions", len(questions)),
        Comparison("lost", sum(asked is None for asked in ours.asked)),
        Comparison("mixed up", sum(_places(one) != _places(other) for one, other in answered)),
        Comparison("worded otherwise", sum(one.answer.answer != other.answer.answer for one, other in answered)),
    ]


def _run(
    start: Callable[[], AbstractContextManager[Served]], questions: Sequence[str], warm_up: str, at_once: int
) -> _Run:
    with start() as service:
        wait_until_at_rest(service.client)
        ask(service.client, warm_up)
        with peak_bytes(service.pid) as peak, ThreadPoolExecutor(at_once) as askers:
            began = time.perf_counter()
            asked = list(askers.map(lambda question: _asked(service, question), questions))
            return _Run(asked, time.perf_counter() - began, peak())


def _asked(service: Served, question: str) -> Asked | None:
    began = time.perf_counter()
    while True:
        waited = time.perf_counter() - began
        try:
            asked = ask(service.client, question)
        except ModelBusy as busy:
            time.sleep(busy.retry_after_seconds)
        except KBError as error:
            console.remark(f"lost: {question}: {error.message}")
            return None
        else:
            console.remark(f"{waited + asked.seconds:.1f} s: {question}")
            moments = (waited + moment for moment in (asked.first_seconds, asked.last_seconds, asked.seconds))
            return Asked(asked.answer, *moments)


def _figures(run: _Run) -> Iterator[tuple[str, float]]:
    answered = [asked for asked in run.asked if asked]
    yield "answers a minute", 60 * len(answered) / run.seconds
    for percent in (50, 95):
        yield f"first token, p{percent}, s", _percentile([asked.first_seconds for asked in answered], percent)
        yield f"whole answer, p{percent}, s", _percentile([asked.seconds for asked in answered], percent)
    yield "peak memory, MB", run.peak_bytes / 1e6


def _places(asked: Asked) -> list[tuple[str, int, int]]:
    return [(passage.document_id, passage.start, passage.end) for passage in asked.answer.passages]


def _percentile(seconds: list[float], percent: int) -> float:
    return float(np.percentile(seconds, percent)) if seconds else 0.0
