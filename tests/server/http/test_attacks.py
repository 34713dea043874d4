"""A survey of the ways into the service from elsewhere, over real sockets: names, addresses, paths, links."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.harness import Served, quick_settings, serving
from tests.server.http.routes_harness import document_id, upload

SECRET = "the secret of the harbour"


def status(service: Served, head: str) -> int:
    """What a request is answered with, to the byte as it is written: 0 where the connection is just closed."""
    address = urlsplit(service.url)
    text = head.replace("HOST", address.netloc)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        line = connection.makefile("rb").readline().split()
    return int(line[1]) if line else 0


@pytest.mark.parametrize(
    "head",
    [
        "GET /documents HTTP/1.1\nHost: evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: 127.0.0.1.evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: HOST\nHost: evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: evil.example\nX-Forwarded-Host: HOST\nForwarded: host=HOST\n\n",
        "GET http://evil.example/documents HTTP/1.1\nHost: evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: user@evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: HOST.\tevil.example\n\n",
        "GET /documents HTTP/1.1\n\n",
        "GET /documents HTTP/1.0\n\n",
        "GET /documents HTTP/1.1\nHost: HOST\nOrigin: http://evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: HOST\nOrigin: null\n\n",
        "GET /documents HTTP/1.1\nHost: HOST\nOrigin: http://HOST.evil.example\n\n",
        "GET /documents HTTP/1.1\nHost: HOST\nOrigin: http://HOST\nOrigin: http://evil.example\n\n",
        "GET /events HTTP/1.1\nHost: rebound.example\nOrigin: http://rebound.example\n\n",
    ],
)
def test_names_and_origins_of_others_are_not_served(service: Served, head: str) -> None:
    assert status(service, head) in (0, 400, 403)
    assert status(service, "GET /documents HTTP/1.1\nHost: HOST\n\n") == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../pyproject.toml",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static/..%2f..%2fpyproject.toml",
        "/static/..%5c..%5cpyproject.toml",
        "/static/%252e%252e/%252e%252e/pyproject.toml",
        "/static//etc/hostname",
        "/static/%2fetc%2fhostname",
        "/static/main.js%00.txt",
        "/documents/..%2f..%2fcatalog.sqlite3/file",
        "/documents/%2fetc%2fhostname/file",
        "/documents/../../../etc/hostname",
        "//etc/hostname",
        "/./.././etc/hostname",
    ],
)
def test_no_path_leads_out_of_what_is_served(service: Served, path: str) -> None:
    assert status(service, f"GET {path} HTTP/1.1\nHost: HOST\n\n") in (400, 404, 405)


@pytest.mark.parametrize(
    "name",
    ["../out.md", "..\\out.md", "/tmp/out.md", "a/../../out.md", "C:\\out.md", ".", "..", "%2e%2e/out.md", ".kbignore"],
)
def test_uploads_lie_in_the_watched_folder_or_nowhere(service: Served, tmp_path: Path, name: str) -> None:
    outside = {path for path in service.folder.parent.iterdir() if path != service.folder}
    response = upload(service, name, "# Out\n\nText.\n")
    assert response.status_code in (201, 400, 415)
    if response.status_code == 201:
        placed = service.folder / response.json()["uploaded"][0]["source"]
        assert placed.resolve().parent == service.folder.resolve()
    assert {path for path in service.folder.parent.iterdir() if path != service.folder} == outside


def to_file(place: Path, outside: Path) -> None:
    place.symlink_to(outside / "secret.md")


def to_folder(place: Path, outside: Path) -> None:
    place.symlink_to(outside, target_is_directory=True)


@pytest.mark.parametrize("link", [to_file, to_folder])
def test_nothing_outside_is_indexed_while_links_come_and_go(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    """A file, or the folder that it lies in, is swapped for a link between being listed and being read."""
    folder, outside = tmp_path / "watched", tmp_path / "outside"
    (folder / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text(f"# Secret\n\nThis is {SECRET}.\n", "utf-8")
    (folder / "sub" / "secret.md").write_text("# Open\n\nAn innocent text.\n", "utf-8")
    place = folder / "sub" / "secret.md" if link is to_file else folder / "sub"
    aside, stored, done = folder / ".aside", folder / ".link", threading.Event()
    link(stored, outside)

    def swap() -> None:
        while not done.is_set():
            place.rename(aside)
            stored.rename(place)
            place.rename(stored)
            aside.rename(place)

    with serving(quick_settings(tmp_path / "home"), folder) as service:
        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            for _ in range(20):
                service.pipeline.sync(1)  # it may not come to an end, while all changes
                assert SECRET not in str([passage.text for passage in service.knowledge_base.search(SECRET, 10)])
        finally:
            done.set()
            swapping.join()
        service.sync()
        assert service.sources == ["sub/secret.md"]
        shown = service.client.get(f"/documents/{document_id(service, 'sub/secret.md')}/file")
        assert shown.text == "# Open\n\nAn innocent text.\n"
