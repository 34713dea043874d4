"""From a start of the service to its first answer: in an empty data directory, and again when all is at rest.

In the fresh start files wait to be indexed and the model was never measured on this machine, as in a newcomer's first
minutes; models are there. The question is asked as soon as somebody listens, until its answer comes.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from kb.adapters.llama.tuning_cache import CACHE_NAME
from kb.errors import KBError
from server.measure.bench.comparison import Comparison
from server.measure.bench.service import Asked, Served, ask, wait_until_at_rest

PAUSE_SECONDS = 0.5
PATIENCE_SECONDS = 900.0

PLAIN_WAY = "after a restart"


def compare_start(start: Callable[[], AbstractContextManager[Served]], question: str) -> list[Comparison]:
    """Starts twice, and asks the same question.

    Args:
        start: Starts the service, the first time in an empty data directory.

    Raises:
        KBError: No answer comes.
    """
    began = time.perf_counter()
    with start() as service:
        listening = time.perf_counter() - began
        fresh = _first_answer(service, question)
        answered = time.perf_counter() - began
        wait_until_at_rest(service.client)
        indexed = time.perf_counter() - began
    began = time.perf_counter()
    with start() as service:
        listening_again = time.perf_counter() - began
        wait_until_at_rest(service.client)
        rested = ask(service.client, question)
    figures = [
        ("until the page is up, s", listening, listening_again),
        ("first token of the answer, s", fresh.first_seconds, rested.first_seconds),
        ("written tokens/s", fresh.tokens_per_second, rested.tokens_per_second),
        ("whole answer, s", fresh.seconds, rested.seconds),
    ]
    return [
        Comparison("until the first answer, s", answered),
        Comparison("until all is indexed, s", indexed),
        *(Comparison(what, first, again, PLAIN_WAY) for what, first, again in figures),
    ]


def untuned(models: Path, place: Path) -> Path:
    """A models directory with the same models, of which nothing was measured."""
    own = place / "models"
    own.mkdir(parents=True)
    for path in models.iterdir():
        if path.name != CACHE_NAME:
            (own / path.name).symlink_to(path)
    return own


def _first_answer(service: Served, question: str) -> Asked:
    deadline, reason = time.monotonic() + PATIENCE_SECONDS, "nothing is found"
    while time.monotonic() < deadline:
        try:
            asked = ask(service.client, question)
            if asked.answer.answerable:
                return asked
        except KBError as error:  # models are being loaded
            reason = error.message
        time.sleep(PAUSE_SECONDS)
    raise KBError(f"no answer in {PATIENCE_SECONDS:.0f} s: {reason}", "ask what the documents say, with --question")
