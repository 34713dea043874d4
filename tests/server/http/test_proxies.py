"""The snippets for proxies, with the real proxies in front of the service."""

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.fakes import FakeLanguageModel
from tests.harness import PATIENCE_SECONDS, Served, eventually, quick_settings, serving

PROXY = Path(__file__).parents[3] / "deploy" / "proxy"
NAME = "kb.example.org"

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def caddy(folder: Path, port: int, service: str) -> list[str | Path]:
    """Caddy without a certificate, which it would fetch."""
    config = (PROXY / "Caddyfile").read_text("utf-8").replace(f"{NAME} {{", f"http://{NAME}:{port} {{")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + config.replace("127.0.0.1:8321", service), "utf-8")
    return ["caddy", "run", "--config", folder / "Caddyfile"]


def nginx(folder: Path, port: int, service: str) -> list[str | Path]:
    """nginx without a certificate."""
    config = re.sub(r"^ *ssl_.*\n", "", (PROXY / "nginx.conf").read_text("utf-8"), flags=re.MULTILINE)
    config = config.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace("127.0.0.1:8321", service)
    places = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy"))
    main = f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}"
    (folder / "nginx.conf").write_text(f"{main} http {{ access_log off; {places} {config} }}", "utf-8")
    return ["nginx", "-p", folder, "-e", folder / "log", "-c", folder / "nginx.conf"]


@contextmanager
def running(command: list[str | Path], port: int) -> Iterator[httpx.Client]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        headers = {"host": NAME, "origin": f"https://{NAME}"}
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
        ) as client:
            assert eventually(lambda: listens(port))
            yield client
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@pytest.fixture
def goes_on() -> threading.Event:
    return threading.Event()


@pytest.fixture
def service(tmp_path: Path, goes_on: threading.Event) -> Iterator[Served]:
    (tmp_path / "papers").mkdir()
    settings = quick_settings(tmp_path / "home", allowed_hosts=(NAME,))
    with serving(settings, tmp_path / "papers", model=FakeLanguageModel(goes_on=goes_on)) as served:
        served.write("lease.md", "# Lease\n\nThe rent is 840 euros.")
        served.sync()
        yield served


@pytest.mark.parametrize("proxy", [caddy, nginx])
def test_page_streams_uploads_and_refusals_go_through(
    proxy: Callable[[Path, int, str], list[str | Path]], service: Served, goes_on: threading.Event, tmp_path: Path
) -> None:
    if not shutil.which(proxy.__name__):
        pytest.skip(f"{proxy.__name__} is not there")
    port = free_port()
    with running(proxy(tmp_path, port, service.url.removeprefix("http://")), port) as client:
        assert client.get("/").status_code == 200
        asked = {"question": "How high is the rent?", "stream": True}
        with client.stream("POST", "/ask", json=asked, headers={"accept": "text/event-stream"}) as reply:
            lines = reply.iter_lines()
            assert next(lines).startswith("event:")  # before a word is written
            goes_on.set()
            assert "event: done" in list(lines)
        # More than nginx takes by default; the picture in it is not read.
        letter = {"files": ("letter.md", b"# Letter\n\n![](data:image/png;base64," + b"A" * 2_000_000 + b")")}
        assert client.post("/documents", files=letter).status_code == 201
        assert client.get("/status", headers={"origin": "https://evil.example"}).status_code == 403
        assert client.get("/status").status_code == 200
