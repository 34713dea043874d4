"""A client of `/v1` that goes away stops the work for it."""

import json
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from kb.values.chat import Generated, GenerationOptions, Heartbeat, Look, Message
from tests.fakes import FakeLanguageModel
from tests.harness import Served, eventually, quick_settings, serving
from tests.server.http.test_connections import connect, posted

STOP_SECONDS = 2.0
"""What is promised."""


class Slow(FakeLanguageModel):
    """Writes a word each tenth of a second, for minutes, and judges for ever."""

    def __init__(self) -> None:
        super().__init__("and " * 2000)
        self.is_asked = threading.Event()
        self._rest = threading.Event()

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        if messages:
            yield from super().stream_after_looks(looks, messages, options)
            return
        self.is_asked.set()  # a judge that never comes to an end
        try:
            while not self._rest.wait(0.1):
                yield Heartbeat()
        finally:
            self.finished.append("cancelled")

    def _pause(self) -> None:
        self.is_asked.set()
        self._rest.wait(0.1)


@pytest.fixture
def model() -> Slow:
    return Slow()


@pytest.fixture
def slow_service(tmp_path: Path, model: Slow) -> Iterator[Served]:
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")
    with serving(quick_settings(tmp_path / ".home", answer_tokens=2000), tmp_path, model=model) as service:
        service.sync()
        yield service


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["r1-kb", "fake"])
def test_work_stops_within_two_seconds(slow_service: Served, model: Slow, name: str, stream: bool) -> None:
    question = {"role": "user", "content": "When was the dome repaired?"}
    body = json.dumps({"model": name, "messages": [question], "stream": stream}).encode()
    with connect(slow_service) as connection:
        connection.sendall(posted(b"/v1/chat/completions", body))
        assert eventually(model.is_asked.is_set)
    assert eventually(lambda: model.finished == ["cancelled"], STOP_SECONDS)
