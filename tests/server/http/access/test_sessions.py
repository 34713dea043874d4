import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from server.http.access.audit import FILE_NAME
from server.http.access.doors import Client, Doors
from server.http.access.tokens import TokenFile
from tests.harness import Served, quick_settings, serving

COOKIE = "kb_session"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    settings = quick_settings(tmp_path / "home", token="all", proxy_from="127.0.0.1", proxy_user_header="Remote-User")
    with serving(settings, folder) as service:
        service.sync()
        yield service


@contextmanager
def browser(service: Served) -> Iterator[httpx.Client]:
    """A page that has entered."""
    with httpx.Client(base_url=service.url, timeout=20, trust_env=False) as client:
        assert client.post("/session", headers={"authorization": "Bearer all"}).status_code == 204
        yield client


def test_a_session_stands_for_the_token(service: Served) -> None:
    with browser(service) as client:
        assert client.get("/documents").status_code == 200
        attributes = client.post("/session", headers={"authorization": "Bearer all"}).headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in attributes.split(";")}
        assert "all" not in client.cookies[COOKIE]
        client.delete("/session")
        assert client.get("/documents").status_code == 401


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_a_session_changes_nothing_but_from_the_own_page(service: Served, origin: str | None) -> None:
    with browser(service) as client:
        headers = {"origin": origin} if origin else {}
        assert client.post("/search", json={"query": "dome"}, headers=headers).status_code == 403
        own = {"origin": service.url}
        assert client.post("/search", json={"query": "dome"}, headers=own).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda value: "9" + value[1:],
        lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
        lambda _: "",
        lambda _: "9999999999.abc",
        lambda _: "é.é.é",
    ],
)
def test_a_cookie_that_is_not_ours_opens_nothing(service: Served, change: object) -> None:
    assert callable(change)
    with browser(service) as client:
        cookie = f"{COOKIE}={change(client.cookies[COOKIE])}".encode()
    assert httpx.get(f"{service.url}/documents", headers={"cookie": cookie}, trust_env=False).status_code == 401


def test_a_session_ends_after_its_time_with_its_token_and_with_the_process(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path)
    digest = next(iter(tokens.digests()), "") or (tokens.add("ada", ["read"]) and tokens.digests()[0])
    ada = Client("ada", ("read",), digest)
    doors, later = Doors("", tokens), Doors("", tokens)
    headers = {"cookie": f"{COOKIE}={doors.session(ada)}"}
    found = doors.client({}, headers)
    assert found and (found.name, found.by_cookie) == ("ada", True)
    assert later.client({}, headers) is None
    over = Doors("", tokens, session_seconds=0)
    assert over.client({}, {"cookie": f"{COOKIE}={over.session(ada)}"}) is None
    tokens.revoke("ada")
    assert doors.client({}, headers) is None


def test_a_user_is_believed_of_named_proxies_alone(service: Served) -> None:
    named = {"remote-user": "ada"}
    ask = lambda path, method="GET": httpx.request(method, service.url + path, headers=named, trust_env=False)  # noqa: E731
    assert ask("/documents").status_code == 200
    assert ask("/documents/x", "DELETE").status_code == 403
    doors = Doors("", TokenFile(Path("none")), service.knowledge_base.settings.proxy_from, "remote-user", ("read",))  # type: ignore[attr-defined]
    assert doors.client({"kb.peer": "127.0.0.1"}, named)
    assert doors.client({"kb.peer": "10.0.0.1", "client": ("127.0.0.1", 1)}, named) is None
    assert doors.client({}, named) is None


def test_writes_and_forgets_are_written_down_and_nothing_else(service: Served) -> None:
    document = service.documents["dome.md"].id
    with browser(service) as client:
        client.post("/search", json={"query": "dome"}, headers={"origin": service.url})
    service.client.post("/documents", files={"files": ("new.md", "# New\n\nA secret text.\n")})
    service.client.delete(f"/documents/{document}", headers={"x-request-id": "mine"})
    path = service.knowledge_base.settings.home / FILE_NAME
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(entry["who"], entry["method"], entry["path"], entry["status"]) for entry in entries] == [
        ("KB_TOKEN", "POST", "/documents", 201),
        ("KB_TOKEN", "DELETE", f"/documents/{document}", 200),
    ]
    assert entries[1]["request_id"] == "mine"
    assert "secret" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
