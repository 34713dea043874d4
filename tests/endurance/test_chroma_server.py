"""A Chroma server that is killed, restarted, emptied and replaced while files come and questions are asked."""

import itertools
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.adapters.chroma import server as adapter
from kb.adapters.chroma.server import ChromaServerStores
from kb.errors import KBError
from tests.chroma_server import ChromaServerProcess
from tests.harness import eventually
from tests.kb.indexing.index_harness import Running, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DOORS = 12
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
ASKED_BETWEEN = 150
"""Questions between two blows."""


class Doors:
    """Files that change again and again, and questions about them, in threads of their own until it is closed."""

    def __init__(self, process: Running) -> None:
        self.process = process
        self.asked, self.wrong = 0, []  # type: tuple[int, list[str]]
        self.committed = dict.fromkeys(range(DOORS), -1)
        self.begun = dict.fromkeys(range(DOORS), -1)
        self._done = threading.Event()
        for door in range(DOORS):
            self._write(door)
        self._threads = [threading.Thread(target=work) for work in (self._write_on, self._ask_on, self._ask_on)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _write_on(self) -> None:
        for door in itertools.cycle(range(DOORS)):
            if self._done.wait(0.05):
                return
            try:
                self._write(door)
                self.process.maintain(20, keep_unused=True)
            except KBError:
                pass  # as the pipeline does: it is tried again

    def _write(self, door: int) -> None:
        """Writes the next version of a file; the same again where the last try has failed."""
        version = self.begun[door] = self.committed[door] + 1
        self.process.write(text_of(door, version), source=f"{door}.md", modified_ns=version)
        self.committed[door] = version

    def _ask_on(self) -> None:
        for door in itertools.cycle(range(DOORS)):
            if self._done.is_set():
                return
            oldest = self.committed[door]
            found = self.process.found(f"code of door {NUMBERS[door]}")
            versions = [int(match[1]) for text in found if (match := re.search(rf"{NUMBERS[door]} is (\d+)\b", text))]
            if len(versions) != 1 or not oldest <= versions[0] <= self.begun[door]:
                self.wrong.append(f"door {door}, version {oldest}…{self.begun[door]}: {found}")
            self.asked += 1


def text_of(door: int, version: int) -> str:
    return f"The code of door {NUMBERS[door]} is {version} since today."


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServerProcess]:
    server = ChromaServerProcess(tmp_path / "server")
    server.start()
    yield server
    server.kill()


def test_no_answer_is_wrong_and_nothing_is_embedded_twice(
    server: ChromaServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "CHECK_SECONDS", 0.2)
    home, copies = tmp_path / "home", (tmp_path / f"data{n}" for n in itertools.count())
    home.mkdir()
    with running(home, ChromaServerStores(server.url, home / "chroma-owner")) as process:
        doors = Doors(process)

        def some_are_asked() -> None:
            until = doors.asked + ASKED_BETWEEN
            assert eventually(lambda: doors.asked > until or doors.wrong, 60)

        try:
            for blow in ("restart", "kill", "empty", "replace") * 2:
                some_are_asked()
                older = next(copies)
                server.kill()
                if blow == "replace":
                    shutil.copytree(server.path, older)
                    server.start()
                    some_are_asked()
                    server.kill()
                if blow == "kill":
                    some_are_asked()
                server.start(older if blow in ("empty", "replace") else None)
                assert doors.wrong == [], blow
            some_are_asked()
        finally:
            doors.close()
        assert doors.wrong == []
        process.maintain()
        process.assert_in_step()
        embedded = process.embedder.embedded
        assert len(embedded) == len(set(embedded))
        assert sum(doors.committed.values()) > 0
        print(f"{doors.asked} questions, {sum(doors.committed.values())} versions, {len(embedded)} texts embedded")
