"""What reading while they type saves, and what it saves to ask again about the same passages.

Each first question of a pair is asked cold once, followed by the second, and once after it was typed. Since what was
read stays in the cache, these are two runs of the service; in each, half of the questions are typed, so that whatever
else the machine does falls on both.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from server.client.remote import Remote
from server.client.typing import prepared_while_typing
from server.measure.bench.comparison import Comparison
from server.measure.bench.pairs import Pair
from server.measure.bench.service import AT_ONCE, Served, ask, wait_until_at_rest
from server.terminal import console

CHARS_PER_SECOND = 5.0


@dataclass(slots=True)
class _Waits:
    """Seconds to the first text of an answer, by number of the pair."""

    cold: dict[int, float] = field(default_factory=dict)
    typed: dict[int, float] = field(default_factory=dict)
    second: dict[int, float] = field(default_factory=dict)


def compare_typed(
    start: Callable[[], AbstractContextManager[Served]],
    pairs: Sequence[Pair],
    chars_per_second: float = CHARS_PER_SECOND,
) -> list[Comparison]:
    """Compares medians over all pairs whose questions are answered.

    Args:
        start: Starts the service, with the same documents each time.
        pairs: If there are several, the last one only warms up.
    """
    waits = _Waits()
    measured, warm_up = (pairs[:-1], pairs[-1][0]) if len(pairs) > 1 else (pairs, "")
    for turn in range(2):
        with start() as service:
            client = service.client
            wait_until_at_rest(client)
            if warm_up:
                ask(client, warm_up)
            for number, (question, other) in enumerate(measured):
                if (number + turn) % 2:
                    _note(waits.typed, number, _typed_seconds(client, question, chars_per_second), "typed", question)
                else:
                    _note(waits.cold, number, _seconds(client, question), "cold", question)
                    _note(waits.second, number, _seconds(client, other), "second", other)
    whole = [number for number in waits.cold if number in waits.typed and number in waits.second]
    declined = Comparison(f"declined, of {len(measured)} pairs of questions", len(measured) - len(whole))
    if not whole:
        return [declined]
    cold, typed, second = (
        statistics.median(column[number] for number in whole) for column in (waits.cold, waits.typed, waits.second)
    )
    return [
        Comparison("first token of a typed question, s", typed, cold, "sent cold"),
        Comparison("first token of a second question, s", second, cold, "the first on these passages"),
        declined,
    ]


def _note(waits: dict[int, float], number: int, seconds: float | None, how: str, question: str) -> None:
    console.remark(f"{how}: {'declined' if seconds is None else f'{seconds:.2f} s'}: {question}")
    if seconds is not None:
        waits[number] = seconds


def _typed_seconds(client: Remote, question: str, chars_per_second: float) -> float | None:
    began = time.perf_counter()
    with prepared_while_typing(
        lambda: question[: int(chars_per_second * (time.perf_counter() - began))],
        lambda text: client.prepare(text, options=AT_ONCE),
    ):
        time.sleep(len(question) / chars_per_second)
    return _seconds(client, question)


def _seconds(client: Remote, question: str) -> float | None:
    """To the first token; None: it was declined."""
    asked = ask(client, question)
    return asked.first_seconds if asked.answer.answer and asked.answer.finish_reason != "no_evidence" else None
