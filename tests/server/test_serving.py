import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import server.serving
from kb.data_directory import ADDRESS_NAME, Owner, find_owner
from kb.errors import SettingsError
from server.http.connections import REQUEST_SECONDS
from server.serving import listen, serve_until_stopped
from tests.harness import PATIENCE_SECONDS, eventually, open_fake_knowledge_base, quick_settings

# What `kb serve` does, over fakes; the model never ends an answer, and what waits for its end waits long.
PROGRAM = """
import sys
from pathlib import Path
import server.serving
from server.serving import listen, serve
from tests.harness import open_fake_knowledge_base, quick_settings
from tests.server.http.test_streaming import Endless

server.serving.GRACE_SECONDS = 600
home, host, *folders = sys.argv[1:]
settings = quick_settings(Path(home), host=host)
try:
    with listen(host, 0) as listener, open_fake_knowledge_base(settings, model=Endless(silent=False)) as knowledge_base:
        serve(knowledge_base, [Path(folder) for folder in folders], settings, listener)
except KeyboardInterrupt:
    sys.exit(130)
"""
PROJECT = Path(server.serving.__file__).parents[1]


@contextmanager
def running(
    home: Path, folder: Path, host: str = "127.0.0.1", first: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], Owner]]:
    process = subprocess.Popen(
        [*first, sys.executable, "-c", PROGRAM, str(home), host, str(folder)],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert eventually(lambda: find_owner(home) or process.poll() is not None)
        owner = find_owner(home)
        assert owner is not None, process.communicate()[1]
        assert eventually(lambda: _is_healthy(owner.url))
        yield process, owner
    finally:
        process.kill()
        process.communicate()


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _has_version_6() -> bool:
    try:
        listen("::1", 0).close()
    except SettingsError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "signal_sent", "exit_code"), [("127.0.0.1", signal.SIGINT, 130), ("::1", signal.SIGTERM, 143)]
)
def test_signal_ends_it_soon_and_in_order_in_the_midst_of_an_answer(
    tmp_path: Path, host: str, signal_sent: signal.Signals, exit_code: int
) -> None:
    host = host if _has_version_6() else "127.0.0.1"
    home, folder = tmp_path / "home", tmp_path / "papers [bold] [draft] 论文"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    with running(home, folder, host) as (process, owner):
        assert f"//[{host}]:" in owner.url or f"//{host}:" in owner.url
        with httpx.Client(base_url=owner.url, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            client.post("/sync")
            body = {"question": "When was the second dome repaired?", "stream": True}
            with client.stream("POST", "/ask", json=body) as response:
                lines = response.iter_lines()
                assert "event: answer" in lines
                process.send_signal(signal_sent)
                assert "event: error" in list(lines)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == exit_code
    assert owner.url in said
    assert folder.name in said
    assert "Traceback" not in said
    assert not (home / ADDRESS_NAME).exists()
    with open_fake_knowledge_base(quick_settings(home)) as knowledge_base:
        assert [document.file.source for document in knowledge_base.documents()] == ["dome.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_many_connections_leave_files_to_a_process_that_may_open_few(tmp_path: Path) -> None:
    limited = ("sh", "-c", 'ulimit -n 256 && exec "$@"', "sh")
    (tmp_path / "papers").mkdir()
    with running(tmp_path / "home", tmp_path / "papers", first=limited) as (process, owner), ExitStack() as opened:
        address = urlsplit(owner.url)
        for _ in range(400):
            opened.enter_context(socket.create_connection((address.hostname, address.port), PATIENCE_SECONDS))
        assert eventually(lambda: _is_healthy(owner.url), REQUEST_SECONDS / 2), "before silence ends them"
        (tmp_path / "papers" / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
        with httpx.Client(base_url=owner.url, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            assert client.get("/").is_success
            assert client.post("/sync").json()["documents"] == 1
        process.send_signal(signal.SIGINT)
        assert "Too many open files" not in process.communicate(timeout=PATIENCE_SECONDS)[1]


def test_port_that_is_taken_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "home")
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} of 127.0.0.1 is in use") as raised:
            serve_until_stopped(settings.model_copy(update={"port": port}), [tmp_path])
    assert "--port" in raised.value.hint
    assert not settings.home.exists()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "::2"])
def test_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="cannot listen on"):
        listen(host, 0)


def test_port_0_takes_a_free_one() -> None:
    with listen("localhost", 0) as one, listen("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]
        assert one.family == socket.AF_INET


def test_folder_that_is_missing_ends_it_with_the_data_directory_free_again(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "home", port=0)
    with pytest.raises(SettingsError, match="is not a folder"):
        serve_until_stopped(settings, [tmp_path / "missing"])
    open_fake_knowledge_base(settings).close()
