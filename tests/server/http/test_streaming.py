import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import anyio
import httpx
import pytest

from kb.values.answers import AnswerEvent, Step
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Heartbeat, Message
from server.http.streaming import HEARTBEAT, iterate, sse, wire_event
from tests.fakes import FakeLanguageModel
from tests.harness import PATIENCE_SECONDS, Served, eventually, quick_settings, serving
from tests.server.http.test_connections import connect, posted

QUESTION = {"question": "When was the second dome repaired?"}
STOP_SECONDS = 2.0
"""What is promised: how soon nothing is generated any more for a client that is gone."""


class Endless(FakeLanguageModel):
    """Reads the prompt until it may go on, and then never stops to talk."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        if not silent:
            self.goes_on.set()

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        self.asked.append(messages)
        try:
            while not self.goes_on.wait(0.2):
                yield Heartbeat()
            for _ in range(2000):
                time.sleep(0.01)
                yield Delta("answer", "and ")
            yield GenerationEnd("stop", 1, 0, 2000)
        finally:
            self.finished.append("over")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    return folder


def ask(service: Served, **body: object) -> None:
    """Asks, and waits for the end."""
    with contextlib.suppress(httpx.HTTPError):
        service.client.post("/ask", json=QUESTION | body)


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_generation_ends_soon_after_the_client_has_gone(
    tmp_path: Path, folder: Path, stream: bool, silent: bool
) -> None:
    model = Endless(silent=silent)
    with serving(quick_settings(tmp_path / "home"), folder, model=model) as service:
        service.sync()
        if stream:
            with (
                httpx.Client(trust_env=False) as client,
                client.stream("POST", f"{service.url}/ask", json=QUESTION | {"stream": True}) as response,
            ):
                assert next(response.iter_lines()) == "event: passages"
                assert eventually(lambda: model.asked)
        else:
            with connect(service) as connection:
                connection.sendall(posted(b"/ask", json.dumps(QUESTION).encode()))
                assert eventually(lambda: model.asked)
        assert len(model.asked) == 1
        assert eventually(lambda: model.finished, STOP_SECONDS)


def test_generator_is_closed_also_if_its_task_is_cancelled_during_a_step() -> None:
    in_step, closed = threading.Event(), threading.Event()

    def slow() -> Generator[AnswerEvent, None, None]:
        try:
            while True:
                in_step.set()
                time.sleep(0.2)
                yield Heartbeat()
        finally:
            closed.set()

    async def cancel() -> None:
        async def consume() -> None:
            async for _ in iterate(slow(), threading.Event(), anyio.CapacityLimiter(2)):
                in_step.clear()

        task = asyncio.create_task(consume())
        await asyncio.to_thread(in_step.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert closed.is_set()


def test_place_in_the_queue_is_told_when_it_changes() -> None:
    def waiting() -> Generator[AnswerEvent, None, None]:
        yield from map(Heartbeat, (2, 2, 1, 0, 0))

    async def written() -> list[bytes]:
        return [piece async for piece in sse(waiting(), threading.Event(), anyio.CapacityLimiter(2))]

    def event(place: int) -> bytes:
        return b'event: waiting\ndata: {"place":%d}\n\n' % place

    assert asyncio.run(written()) == [event(2), HEARTBEAT, event(1), event(0), HEARTBEAT]


def test_step_tells_what_is_being_done() -> None:
    name, body = wire_event(Step("part", 2, 3, "What does A cost?"))
    assert (name, body.model_dump()) == (
        "step",
        {"doing": "part", "number": 2, "of": 3, "about": "What does A cost?"},
    )


def test_passages_are_there_before_the_model_has_said_anything(tmp_path: Path, folder: Path) -> None:
    with serving(quick_settings(tmp_path / "home"), folder, model=Endless(silent=True)) as service:
        service.sync()
        with service.client.stream("POST", "/ask", json=QUESTION | {"stream": True}) as response:
            lines = response.iter_lines()
            assert next(lines) == "event: passages", "the model never says anything"
            assert "dome.md" in next(lines)
            assert next(lines) == ""
            assert next(lines).startswith(":"), "a comment now and then while there is nothing to say"


def test_passages_are_there_before_the_model_has_loaded(tmp_path: Path, folder: Path) -> None:
    may_load = threading.Event()

    def before_loading(name: str) -> None:
        if name == "answering":
            may_load.wait(PATIENCE_SECONDS)

    with serving(quick_settings(tmp_path / "home"), folder, before_loading=before_loading) as service:
        service.sync()
        with service.client.stream("POST", "/ask", json=QUESTION | {"stream": True}) as response:
            lines = response.iter_lines()
            assert next(lines) == "event: passages"
            may_load.set()
            assert "event: done" in list(lines)


@pytest.mark.parametrize("stream", [False, True])
def test_service_ends_soon_and_quietly_though_an_answer_is_being_written(
    tmp_path: Path, folder: Path, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    model = Endless(silent=False)
    with serving(quick_settings(tmp_path / "home"), folder, model=model) as service:
        service.sync()
        asking = threading.Thread(target=ask, args=(service,), kwargs={"stream": stream})
        asking.start()
        assert eventually(lambda: model.asked)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert model.finished == ["over"]
    asking.join()
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_service_ends_soon_and_quietly_though_somebody_waits_for_a_sync(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(quick_settings(tmp_path / "home", settle_seconds=60.0), folder) as service:
        service.write("new.md", "# New\n\nStill being written.\n")
        answered: list[int] = []

        def sync() -> None:
            answered.append(httpx.post(f"{service.url}/sync", timeout=PATIENCE_SECONDS, trust_env=False).status_code)

        syncing = threading.Thread(target=sync)
        syncing.start()
        time.sleep(0.3)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    syncing.join()
    assert answered == [500]
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_other_routes_answer_while_many_questions_wait(tmp_path: Path, folder: Path) -> None:
    model = Endless(silent=True)
    with serving(quick_settings(tmp_path / "home"), folder, model=model) as service:
        service.sync()
        asking = [threading.Thread(target=ask, args=(service,)) for _ in range(45)]
        for thread in asking:
            thread.start()
        assert eventually(lambda: len(model.asked) == len(asking))
        began = time.monotonic()
        assert service.client.get("/status").status_code == 200
        assert time.monotonic() - began < 3
    for thread in asking:
        thread.join()
    assert len(model.finished) == len(asking)
