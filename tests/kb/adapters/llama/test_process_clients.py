"""Many who ask one model in a process of its own, and some who leave."""

import contextlib
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from kb.adapters.llama.options import EngineSettings
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.wire import Untuned
from kb.errors import ModelBusy
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Heartbeat, Message
from tests.harness import eventually
from tests.kb.adapters.llama.process_harness import (
    LONG,
    LONG_QUESTION,
    QUESTION,
    STOP_SECONDS,
    Start,
    answer,
    children,
    expected,
    is_idle,
    until,
    words_of,
)
from tests.tiny_gguf import END, tiny_chat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are POSIX")


def test_twenty_questions_at_once_are_answered_in_their_order(start: Start) -> None:
    model = start(queue_size=20)
    first = model.stream(QUESTION, LONG)
    next(first)
    streams = [model.stream(QUESTION, GenerationOptions(answer_tokens=30 + number)) for number in range(20)]
    for number, stream in enumerate(streams):
        # Before the child has said anything of it, the place is not known.
        assert next(place for place in places_in(stream) if place) == number + 1
    first.close()
    for number, stream in enumerate(streams):
        items = list(stream)
        assert words_of(items) == expected(30 + number)
        places = list(places_in(items))
        assert sorted(places, reverse=True) == places


def places_in(items: Iterable[Generated]) -> Iterator[int]:
    return (item.place for item in items if isinstance(item, Heartbeat))


def test_twenty_clients_get_each_their_own_answer_or_are_told_to_come_back(start: Start) -> None:
    model = start(queue_size=4)
    together = threading.Barrier(20)
    outcomes: dict[int, list[str] | int] = {}

    def ask(number: int) -> None:
        together.wait(10)
        try:
            outcomes[number] = answer(model, 50 + number)
        except ModelBusy as busy:
            outcomes[number] = busy.retry_after_seconds

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(20)
    answered = {number for number, outcome in outcomes.items() if isinstance(outcome, list)}
    assert len(outcomes) == 20
    assert len(answered) >= 5
    assert all(outcomes[number] == expected(50 + number) for number in answered)
    assert all(seconds >= 1 for seconds in outcomes.values() if not isinstance(seconds, list))


@pytest.mark.parametrize("times", [4, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(120)])])
def test_client_that_leaves_stops_the_work_soon(start: Start, slow: Path, times: int) -> None:
    model = start(slow)
    (child,) = children()
    for number in range(times):
        question = LONG_QUESTION if number % 2 else QUESTION
        stream = model.stream(question, LONG)
        if number % 2:
            next(stream)
        else:
            until(Delta, stream)
        stream.close()
        assert eventually(lambda: is_idle(child), STOP_SECONDS)
    assert answer(model) == expected(5)


def test_memory_does_not_grow_over_five_hundred_questions(start: Start, tmp_path: Path) -> None:
    model = start(tiny_chat(tmp_path / "short.gguf", ["\n", "Because", ".", END]))
    both = [psutil.Process(), *children()]

    def ask(times: int) -> list[int]:
        for number in range(times):
            messages = [Message("user", f"Why is it number {number}?")]
            items = model.stream(messages, GenerationOptions())
            said = words_of([until(Delta, items)] if number % 5 == 0 else list(items))
            assert said and said[0].startswith("Because")
            items.close()
            model.count_tokens(messages[0].content)
        return [process.memory_info().rss for process in both]

    before = ask(20)
    after = ask(500)
    assert all(later - earlier < 50_000_000 for earlier, later in zip(before, after, strict=True))


def test_counting_goes_on_beside_an_answer(start: Start) -> None:
    model = start()
    counted = model.count_tokens("some words")
    stream = model.stream(QUESTION, LONG)
    next(stream)
    assert {model.count_tokens("some words") for _ in range(50)} == {counted}
    with contextlib.closing(stream):
        assert until(Delta, stream)


@pytest.mark.parametrize("is_idle", [True, False])
def test_disturbed_measurement_is_repeated_while_nobody_asks(endless: Path, tmp_path: Path, is_idle: bool) -> None:
    known = tmp_path / "tuning.json"
    with contextlib.closing(LlamaProcess(endless, "tiny", Untuned(EngineSettings(1024), known))) as model:
        text = known.read_text()
        (measured,) = json.loads(text)["measurements"].values()
        known.write_text(text.replace(f'"disturbed_at": {measured["disturbed_at"]}', '"disturbed_at": 9999999999.0'))
        model.measure_again(lambda: is_idle)
        if is_idle:
            assert "9999999999.0" not in known.read_text()
        assert answer(model, 3) == expected(3)
        assert len(children()) == 1


def test_question_that_comes_while_it_is_measured_again_waits_for_the_process_after_it(
    endless: Path, tmp_path: Path
) -> None:
    known = tmp_path / "tuning.json"
    with contextlib.closing(LlamaProcess(endless, "tiny", Untuned(EngineSettings(1024), known))) as model:
        text = known.read_text()
        (measured,) = json.loads(text)["measurements"].values()
        known.write_text(text.replace(f'"disturbed_at": {measured["disturbed_at"]}', '"disturbed_at": 9999999999.0'))
        counted: list[int] = []
        asking = threading.Thread(target=lambda: counted.append(model.count_tokens("abc")))

        def somebody_asks() -> bool:
            asking.start()
            asking.join(0.1)  # it waits for the process that is given up now
            return False

        model.measure_again(somebody_asks)
        asking.join(20)
        assert counted == [3]


def test_undisturbed_model_is_left_alone(start: Start) -> None:
    model = start()
    before = children()
    assert model.measure_again(lambda: True)
    assert children() == before


def test_what_is_read_ahead_is_read_in_the_child(start: Start, slow: Path) -> None:
    model = start(slow)
    (child,) = children()

    def cpu_seconds() -> float:
        return float(child.cpu_times().user)

    began = cpu_seconds()
    model.read_ahead([LONG_QUESTION])
    assert eventually(lambda: cpu_seconds() > began + 0.5)
    end = list(model.stream(LONG_QUESTION, GenerationOptions(answer_tokens=1)))[-1]
    assert isinstance(end, GenerationEnd)
    assert end.reused_tokens > 0
