import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from kb.errors import SettingsError
from kb.settings import load
from server.http.access.doors import Doors
from server.http.access.tokens import TokenFile
from server.http.addresses import is_loopback
from server.http.app import check_binding
from server.http.connections import MAX_HEADER_BYTES
from server.http.guard import HEADERS, MAX_BODY_BYTES, Guard
from server.settings import ServerSettings

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "kb.home"})
TOKEN = "s3cret-ñ"
OLD_COOKIE = hashlib.sha256(TOKEN.encode()).hexdigest()
AUTHORIZED = {"authorization": f"Bearer {TOKEN}".encode()}
FILE = "/documents/7/file"


def guarded(hosts: frozenset[str] = LOCAL, token: str = "", address: str = "127.0.0.1:8321") -> TestClient:
    """A service with one route for each thing that matters, behind the guard."""
    app = FastAPI()

    @app.post("/documents")
    @app.post("/ask")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/healthz")
    @app.get("/")
    @app.get("/static/main.js")
    @app.get("/documents/7/file")
    @app.get("/documents")
    async def ok() -> str:
        return "ok"

    doors = Doors(token, TokenFile(Path("no such folder")))
    app.add_middleware(Guard, hosts=hosts, doors=doors, max_upload_bytes=3 * MAX_BODY_BYTES)
    return TestClient(app, base_url=f"http://{address}")


def code(response: httpx.Response) -> str:
    error = response.json()["error"]
    assert error.keys() == {"code", "message", "hint"}
    assert error["message"]
    assert error["hint"]
    return str(error["code"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8321", "localhost", "LOCALHOST:1", "[::1]:8321", "[::1]", "kb.home", "kb.home:80"]
)
def test_own_names_are_answered(host: str) -> None:
    assert guarded().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8321",
        "evil.example#127.0.0.1",
        "evil.example:127.0.0.1",
        "127.0.0.1:8321.evil.example",
        "localhost:port",
        "localhost@evil.example",
        "192.168.1.5:8321",
        "[::1",
        "[fe80::1%25eth0]",
        "",
        "0.0.0.0",
    ],
)
def test_names_that_were_pointed_here_are_refused(host: str) -> None:
    response = guarded().get("/", headers={"host": host})
    assert (response.status_code, code(response)) == (403, "foreign_host")


def test_any_name_will_do_for_a_service_that_asks_for_a_token() -> None:
    assert guarded(hosts=frozenset(), token=TOKEN).get("/", headers={"host": "kb.example"}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "[::1]:8321"])
def test_pages_of_the_service_itself_may_use_it(host: str) -> None:
    headers = {"host": host, "origin": f"http://{host}"}
    assert guarded().post("/ask", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1:9999",
        "http://127.0.0.1",
        "http://localhost:8321",
        "http://[",
        "file://",
        "chrome-extension://127.0.0.1:8321/",
    ],
)
def test_pages_of_others_may_not(origin: str) -> None:
    response = guarded().post("/ask", headers={"origin": origin})
    assert (response.status_code, code(response)) == (403, "foreign_origin")


@pytest.mark.parametrize("path", ["/", "/healthz", "/static/main.js"])
def test_page_and_liveness_need_no_token(path: str) -> None:
    assert guarded(token=TOKEN).get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Basic czNjcmV0"},
        {"authorization": TOKEN.encode()},
        {"cookie": f"kb_token={TOKEN}".encode()},
        {"cookie": f"kb_token={OLD_COOKIE}"},
        {"cookie": f"kb_session={OLD_COOKIE}"},
        {"cookie": "kb_session="},
        {"cookie": "kb_session=9999999999."},
        {"cookie": f"kb_session=9999999999.{'0' * 64}"},
        {"cookie": b"kb_session=\xe9\xff"},
        {"cookie": "kb_session=;;==\x7f"},
    ],
)
@pytest.mark.parametrize("path", ["/documents", FILE])
def test_nothing_else_goes_without(path: str, headers: dict[str, str | bytes]) -> None:
    response = guarded(token=TOKEN).get(path, headers=headers)
    assert (response.status_code, code(response)) == (401, "no_token")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization", "Content-Length"])
def test_header_that_is_sent_twice_is_refused(name: str) -> None:
    values = {
        "Host": "localhost",
        "Origin": "http://127.0.0.1:8321",
        "Authorization": "Bearer x",
        "Content-Length": "0",
    }
    response = guarded().post("/ask", headers=[(name, values[name]), (name.lower(), values[name])])
    assert (response.status_code, code(response)) == (400, "invalid_request")


@pytest.mark.parametrize("token", ["", TOKEN])
def test_every_response_has_the_headers(token: str) -> None:
    client = guarded(token=token)
    for response in (
        client.get("/"),
        client.get("/nothing"),
        client.get("/documents"),
        client.get("/", headers={"host": "evil.example"}),
        client.post("/ask", content=b"x" * (MAX_BODY_BYTES + 1)),
    ):
        assert HEADERS.items() <= {key.encode(): value.encode() for key, value in response.headers.items()}.items()


def test_original_files_cannot_run_as_a_part_of_the_service() -> None:
    headers = guarded().get("/documents/7/file").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["content-security-policy"] == "frame-ancestors 'none'"


def pieces(total_bytes: int) -> Iterator[bytes]:
    for _ in range(total_bytes // 1000):
        yield b"x" * 1000


@pytest.mark.parametrize(("path", "limit"), [("/ask", MAX_BODY_BYTES), ("/documents", 3 * MAX_BODY_BYTES)])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_limited_whether_or_not_their_length_is_told(path: str, limit: int, chunked: bool) -> None:
    def body(total_bytes: int) -> bytes | Iterable[bytes]:
        return pieces(total_bytes) if chunked else b"x" * total_bytes

    client = guarded()
    assert client.post(path, content=body(limit)).json() == limit
    assert client.post(path, content=body(limit + 1000)).status_code == 413


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "0x10", ""])
def test_length_that_is_no_number_is_refused(length: str) -> None:
    assert guarded().post("/ask", content=b"{}", headers={"content-length": length}).status_code in (400, 413)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
    ],
)
def test_only_loopback_may_do_without_a_token(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
    check_binding(load(kind=ServerSettings, host=host, token="long"))
    if loopback:
        check_binding(load(kind=ServerSettings, host=host))
    else:
        with pytest.raises(SettingsError, match="would let other machines read your documents"):
            check_binding(load(kind=ServerSettings, host=host))


def test_headers_that_come_in_one_piece_have_a_limit_too() -> None:
    headers = {f"x-{number}": "y" * (MAX_HEADER_BYTES // 8) for number in range(9)}
    response = guarded().get("/", headers=headers)
    assert (response.status_code, code(response)) == (431, "headers_too_large")
    assert guarded().get("/?" + "y" * MAX_HEADER_BYTES).status_code == 431
    assert guarded().get("/", headers={"x": "y" * (MAX_HEADER_BYTES // 2)}).status_code == 200
