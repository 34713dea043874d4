import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from server.http.access import limits
from server.http.access.limits import Limited
from server.http.asgi import Message, Receive, Scope, Send
from tests.fakes import FakeLanguageModel
from tests.harness import Served, eventually, quick_settings, serving
from tests.server.http.routes_harness import error, upload

QUESTION = {"question": "When was the second dome repaired?"}


@contextmanager
def limited(tmp_path: Path, model: FakeLanguageModel | None = None, **more: object) -> Iterator[Served]:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    with serving(quick_settings(tmp_path / "home", **more), folder, model=model) as service:
        service.sync()
        yield service


def test_requests_in_a_minute_are_counted_for_each_client(tmp_path: Path) -> None:
    with limited(tmp_path, token="all", client_requests=3) as service:
        statuses = [service.client.get("/status").status_code for _ in range(4)]
        refused = service.client.get("/documents")
        assert statuses == [200, 200, 200, 429]
        assert error(refused) == (429, "too_much")
        assert "KB_CLIENT_REQUESTS" in refused.json()["error"]["hint"]
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert service.client.get("/healthz").status_code == 200


def test_who_need_not_say_who_it_is_has_no_limits_on_this_machine(tmp_path: Path) -> None:
    with limited(tmp_path, client_requests=1) as service:
        assert [service.client.get("/status").status_code for _ in range(3)] == [200, 200, 200]


def test_a_proxy_hides_nobody_from_the_limits(tmp_path: Path) -> None:
    with limited(tmp_path, client_requests=1) as service:
        ask = lambda who: service.client.get("/status", headers={"x-forwarded-for": who}).status_code  # noqa: E731
        assert [ask("10.0.0.1"), ask("10.0.0.1"), ask("10.0.0.2")] == [200, 429, 200]


def test_open_requests_are_counted_for_each_client(tmp_path: Path) -> None:
    goes_on = threading.Event()
    model = FakeLanguageModel("It was repaired in March.", goes_on=goes_on)
    with limited(tmp_path, model, token="all", client_open=1) as service, ThreadPoolExecutor() as threads:
        asked = threads.submit(lambda: service.client.post("/ask", json=QUESTION).status_code)
        assert eventually(lambda: model.asked)
        assert error(service.client.get("/status")) == (429, "too_much")
        goes_on.set()
        assert asked.result() == 200
        assert service.client.get("/status").status_code == 200


def test_uploaded_bytes_are_counted_for_each_client(tmp_path: Path) -> None:
    with limited(tmp_path, token="all", client_upload_bytes=3_000) as service:
        assert upload(service, "a.md", "# A\n\n" + "word " * 300).status_code == 201
        assert error(upload(service, "b.md", "# B\n\n" + "word " * 300)) == (429, "too_much")
        assert upload(service, "c.md", "# C\n\nshort\n").status_code == 201


@contextmanager
def half_an_upload(service: Served, size: int) -> Iterator[None]:
    """Has an upload of so many bytes under way until the block ends."""
    head = f"POST /documents HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n"
    with socket.create_connection((service.client.base_url.host, service.client.base_url.port)) as connection:
        connection.sendall(f"{head}content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
        yield


def test_uploads_of_all_clients_are_counted_together(tmp_path: Path) -> None:
    with limited(tmp_path, uploading_bytes=3_000) as service:
        small, chunked = "# A\n\n" + "word " * 200, "# C\n\n" + "word " * 800
        with half_an_upload(service, 2_500):
            assert eventually(lambda: upload(service, "a.md", small).status_code == 429)
            refused = upload(service, "a.md", small)
            assert error(refused) == (429, "too_much")
            assert "KB_UPLOADING_BYTES" in refused.json()["error"]["hint"]
            assert int(refused.headers["retry-after"]) > 0
            body = f'--x\r\ncontent-disposition: form-data; name="files"; filename="c.md"\r\n\r\n{chunked}\r\n--x--\r\n'
            headers = {"content-type": "multipart/form-data; boundary=x"}
            cut = service.client.post("/documents", content=iter([body.encode()]), headers=headers)
            assert error(cut) == (429, "too_much")
            assert service.client.post("/search", json={"query": "dome"}).status_code == 200
        assert eventually(lambda: upload(service, "a.md", small).status_code == 201)
        assert upload(service, "larger-than-all.md", "# B\n\n" + "word " * 1000).status_code == 201


def test_uploads_leave_room_on_the_disk(tmp_path: Path) -> None:
    with limited(tmp_path, min_free_bytes=10**18) as service:
        refused = upload(service, "a.md", "# A\n\ntext\n")
        assert refused.status_code == 507
        assert "KB_MIN_FREE_BYTES" in refused.json()["error"]["hint"]
        assert service.sources == ["dome.md"]
        assert httpx.get(f"{service.url}/status", trust_env=False).status_code == 200


@pytest.mark.anyio
async def test_what_is_kept_of_clients_is_bounded_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CLIENTS", 2)
    now, seen = [0.0], []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])

    async def ignore(_: Message) -> None:
        pass

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    middleware = Limited(answer, 1, 0, 0, 0, clock=lambda: now[0])

    async def ask(address: str) -> None:
        scope = {"type": "http", "method": "GET", "path": "/status", "headers": [], "client": (address, 1)}
        await middleware(scope, nothing, ignore)

    await ask("10.0.0.1")
    await ask("10.0.0.1")
    now[0] = 61.0
    await ask("10.0.0.1")
    for last in range(2, 6):
        await ask(f"10.0.0.{last}")
    assert seen == ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"]
    assert len(middleware._uses) == 2
