"""What a client can do to others before anything is known of it."""

import json
import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from kb.data_directory import CATALOG_NAME
from server.http.connections import MAX_HEADER_BYTES, Limits
from server.http.threads import MAX_WAITING, Threads
from tests.fakes import FakeLanguageModel
from tests.harness import Served, eventually, quick_settings, serving

PATIENCE_SECONDS = 15.0


@contextmanager
def service(tmp_path: Path, limits: Limits | None = None, token: str = "") -> Iterator[Served]:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe dome opens at nine.\n", "utf-8")
    settings = quick_settings(tmp_path / "home", token=token)
    with serving(settings, folder, limits=limits, model=FakeLanguageModel("It opens at nine.")) as served:
        yield served


def connect(served: Served) -> socket.socket:
    address = urlsplit(served.url)
    connection = socket.create_connection((address.hostname, address.port), PATIENCE_SECONDS)
    connection.settimeout(PATIENCE_SECONDS)
    return connection


def posted(path: bytes, body: bytes) -> bytes:
    head = b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" % path
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def everything(connection: socket.socket) -> bytes:
    """All that comes until the connection ends, however that comes about."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionError:
        pass
    return received


def refusal(response: bytes) -> tuple[int, str]:
    head, _, body = response.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert error["message"]
    assert error["hint"]
    return int(head.split()[1]), error["code"]


def test_silent_connections_make_room_for_whoever_says_something(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="server")  # a command that ran before may have set another
    with service(tmp_path, Limits(connections=8)) as served, ExitStack() as opened:
        for _ in range(40):
            opened.enter_context(connect(served))
        with httpx.Client(base_url=served.url, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            assert [client.get("/healthz").status_code, client.get("/status").status_code] == [200, 200]
    assert sum("connections" in record.message for record in caplog.records if record.levelno == logging.WARNING) == 1


def test_where_all_connections_are_at_work_one_more_is_refused(tmp_path: Path) -> None:
    with service(tmp_path, Limits(connections=4)) as served, ExitStack() as opened:
        listening = [opened.enter_context(connect(served)) for _ in range(4)]
        for connection in listening:
            connection.sendall(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        with connect(served) as another:
            assert refusal(everything(another)) == (503, "too_many_connections")
        listening[0].close()
        assert eventually(lambda: _is_answered(served))


def test_who_does_not_read_the_replies_makes_room_too(tmp_path: Path) -> None:
    with service(tmp_path, Limits(connections=4), token="s3cret") as served, ExitStack() as opened:
        for _ in range(4):
            connection = opened.enter_context(connect(served))
            connection.settimeout(1)
            with suppress(TimeoutError):
                connection.sendall(b"GET /static/style.css HTTP/1.1\r\nhost: localhost\r\n\r\n" * 50_000)
        assert eventually(lambda: _is_answered(served))


def _is_answered(served: Served) -> bool:
    with httpx.Client(base_url=served.url, timeout=PATIENCE_SECONDS, trust_env=False) as client:
        return client.get("/healthz").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: "])
def test_who_does_not_come_to_the_end_of_the_headers_is_let_go(tmp_path: Path, sent: bytes) -> None:
    with service(tmp_path, Limits(request_seconds=0.3)) as served, connect(served) as connection:
        connection.sendall(sent)
        assert refusal(everything(connection)) == (408, "request_too_slow")


def test_a_byte_now_and_then_wins_no_time(tmp_path: Path) -> None:
    with service(tmp_path, Limits(request_seconds=0.5)) as served, connect(served) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
        ends_at = time.monotonic() + PATIENCE_SECONDS
        with pytest.raises(ConnectionError):
            while time.monotonic() < ends_at:
                connection.sendall(b"x")
                time.sleep(0.05)


def test_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with service(tmp_path, Limits(request_seconds=0.3)) as served, connect(served) as connection:
        connection.sendall(b"POST /ask HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
        assert refusal(everything(connection)) == (408, "request_too_slow")


def test_upload_may_take_longer_than_a_request_but_not_fall_silent(tmp_path: Path) -> None:
    limits = Limits(request_seconds=0.4, upload_silence_seconds=2.0)
    with service(tmp_path, limits) as served, connect(served) as connection:
        field = b'--b\r\ncontent-disposition: form-data; name="files"; filename="slow.md"'
        body = field + b"\r\n\r\nThe owl sleeps.\r\n--b--\r\n"
        head = (
            "POST /documents HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            f"content-type: multipart/form-data; boundary=b\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode())
        for start in range(0, len(body), 20):
            connection.sendall(body[start : start + 20])
            time.sleep(0.1)
        assert everything(connection).startswith(b"HTTP/1.1 201")
    silent = Limits(request_seconds=60.0, upload_silence_seconds=0.3)
    (tmp_path / "second").mkdir()
    with service(tmp_path / "second", silent) as served, connect(served) as connection:
        connection.sendall(head.encode() + body[:20])
        assert b"201" not in everything(connection)[:20]


@pytest.mark.parametrize("count", [1, 5000])
def test_headers_have_a_limit(tmp_path: Path, count: int) -> None:
    headers = b"".join(b"x%d: %s\r\n" % (n, b"y" * (2 * MAX_HEADER_BYTES // count)) for n in range(count))
    with service(tmp_path) as served, connect(served) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n" + headers[: 2 * MAX_HEADER_BYTES])
        assert refusal(everything(connection)) == (431, "headers_too_large")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01 no HTTP at all\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n",
        b"POST /ask HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{",
    ],
)
def test_what_is_no_request_is_refused_in_the_form_of_all_errors(tmp_path: Path, request_: bytes) -> None:
    with service(tmp_path) as served, connect(served) as connection:
        connection.sendall(request_)
        assert refusal(everything(connection)) == (400, "invalid_request")


def test_keep_alive_connections_go_on_after_the_time_for_one_request(tmp_path: Path) -> None:
    with (
        service(tmp_path, Limits(request_seconds=0.3)) as served,
        httpx.Client(base_url=served.url, timeout=PATIENCE_SECONDS, trust_env=False) as client,
        client.stream("GET", "/events") as events,
    ):
        pieces = events.iter_bytes()
        assert b"event: status" in next(pieces)
        for _ in range(4):
            assert client.get("/healthz").status_code == 200
            time.sleep(0.15)
        (served.folder / "more.md").write_text("More.\n", "utf-8")
        served.pipeline.request()
        assert next(pieces), "a stream may take as long as it likes"


def test_questions_that_wait_leave_threads_to_who_asks_for_the_state(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    released = threading.Event()

    def wait(model: str) -> None:
        released.wait(4 * PATIENCE_SECONDS)

    asked = [(b"/search", b'{"query": "why"}'), (b"/ask", b'{"question": "why"}')]
    with serving(quick_settings(tmp_path / "home"), folder, before_loading=wait) as served, ExitStack() as opened:
        for path, body in asked * 50:
            opened.enter_context(connect(served)).sendall(posted(path, body))
        try:
            for route in ("/healthz", "/status", "/documents", "/", "/readyz"):
                assert served.client.get(route).status_code in (200, 503), "or the client gives up waiting"
        finally:
            released.set()


def test_questions_of_clients_that_have_left_do_not_pile_up(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    released = threading.Event()

    def wait(model: str) -> None:
        released.wait(4 * PATIENCE_SECONDS)

    def ask(served: Served) -> bytes:
        with connect(served) as connection, suppress(TimeoutError):
            connection.settimeout(1)
            connection.sendall(posted(b"/search", b'{"query": "why"}'))
            return connection.recv(65536)
        return b""

    with serving(quick_settings(tmp_path / "home"), folder, before_loading=wait) as served:
        for _ in range(MAX_WAITING + int(Threads().questions.total_tokens)):
            with connect(served) as connection:
                connection.sendall(posted(b"/search", b'{"query": "why"}'))
        refused: list[bytes] = []
        try:
            assert eventually(lambda: refused.append(ask(served)) or refused[-1])
        finally:
            released.set()
    assert refusal(refused[-1]) == (429, "busy")
    assert b"retry-after: 10" in refused[-1]


def test_uploads_that_wait_for_the_catalog_do_not_keep_others_from_being_answered(tmp_path: Path) -> None:
    body = b'--b\r\ncontent-disposition: form-data; name="files"; filename="%d.md"\r\n\r\nOwls.\r\n--b--\r\n'
    with service(tmp_path) as served, ExitStack() as opened:
        served.sync()
        catalog = sqlite3.connect(tmp_path / "home" / CATALOG_NAME, isolation_level=None)
        with closing(catalog):
            catalog.execute("BEGIN IMMEDIATE")
            for n in range(80):
                sent = posted(b"/documents", body % n).replace(b"application/json", b"multipart/form-data; boundary=b")
                opened.enter_context(connect(served)).sendall(sent)
            assert eventually(lambda: len(list(served.folder.glob("*.md"))) > 4), "some wait in their threads"
            for route in ("/healthz", "/status", "/readyz", "/"):
                assert served.client.get(route, timeout=10).status_code in (200, 503)
