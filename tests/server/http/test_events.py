import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

import httpx
import pytest

from kb.errors import StorageError
from server.http import events, schemas
from server.http.state import report_status
from server.http.threads import Threads
from tests.fakes import FakeEmbedder
from tests.harness import Served, eventually, quick_settings, serving


@contextmanager
def listening(service: Served) -> Iterator[Iterator[tuple[str, dict[str, object]]]]:
    """The events that come until the block ends."""
    with service.client.stream("GET", "/events") as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield parsed(response.iter_lines())


def parsed(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, object]]]:
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_status_comes_at_once_and_a_new_file_is_told(service: Served) -> None:
    service.sync()
    with listening(service) as told:
        name, first = next(told)
        assert (name, first) == ("status", service.client.get("/status").json())
        service.write("told.md", "# Told\n\nA new file is told to whoever listens.\n")
        documents = first["documents"]
        assert isinstance(documents, int)
        assert next(body for name, body in told if name == "status" and body["documents"] == documents + 1)
        assert next(name for name, _ in told if name == "documents")


def test_all_who_listen_hear_the_same(service: Served) -> None:
    with listening(service) as one, listening(service) as other:
        assert next(one)[0] == next(other)[0] == "status"
        service.write("heard.md", "# Heard\n\nBoth hear it.\n")
        for told in (one, other):
            assert next(name for name, _ in told if name == "documents")


def test_one_listener_too_many_is_refused_until_another_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_LISTENERS", 1)
    with serving(quick_settings(tmp_path / "home"), tmp_path) as service:  # where nobody has just gone
        with listening(service) as told:
            next(told)
            refused = service.client.get("/events")
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "busy")

        def is_heard() -> bool:
            try:
                with listening(service) as again:
                    return next(again)[0] == "status"
            except (AssertionError, httpx.HTTPError):
                return False

        assert eventually(is_heard), "the place of one that has gone is given away"


def test_state_that_cannot_be_told_for_a_moment_is_told_later(tmp_path: Path) -> None:
    failures = [StorageError("the disk is full"), StorageError("the disk is full")]

    async def first_event() -> bytes:
        feed = events.StatusFeed(look, lambda: False, Threads().state)
        async with aclosing(feed.listen()) as told:
            return await anext(told)

    with serving(quick_settings(tmp_path / "home"), tmp_path) as service:

        def look() -> schemas.Status:
            if failures:
                raise failures.pop()
            return report_status(service.knowledge_base, service.pipeline)

        assert asyncio.run(first_event()).startswith(b"event: status\n")


def test_listeners_do_not_keep_the_service_from_ending(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    with serving(quick_settings(tmp_path / "home"), tmp_path / "papers") as service:
        response = service.client.send(service.client.build_request("GET", "/events"), stream=True)
        assert next(parsed(response.iter_lines()))[0] == "status"
    response.close()


def test_many_who_wait_for_a_sync_do_not_keep_others_from_being_answered(tmp_path: Path) -> None:
    """There are forty threads for requests; none of them waits."""
    goes_on = threading.Event()

    class Held(FakeEmbedder):
        def count_tokens(self, texts: Sequence[str]) -> list[int]:
            assert goes_on.wait(20)
            return super().count_tokens(texts)

    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "slow.md").write_text("# Slow\n\nThis one takes its time.\n")
    with serving(quick_settings(tmp_path / "home"), folder, embedder=Held()) as service:
        url = service.url
        waiting = [threading.Thread(target=lambda: httpx.post(f"{url}/sync", timeout=30)) for _ in range(50)]
        for thread in waiting:
            thread.start()
        try:
            assert eventually(lambda: service.client.get("/status").json()["index"]["pending"] == 1)
            for _ in range(5):
                assert service.client.get("/healthz", timeout=5).status_code == 200
        finally:
            goes_on.set()
        for thread in waiting:
            thread.join(20)
            assert not thread.is_alive()
