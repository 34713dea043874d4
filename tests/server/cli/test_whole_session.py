"""`kb serve` from its start to its end, with real libraries: whom it talks to, what it writes, and whose code it runs.

The models are tiny, so that nothing has to be fetched. A library that is preloaded into all processes writes down what
they do; the working directory, which is the watched folder, too, holds what would betray them.
"""

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kb.data_directory import find_owner
from tests.harness import eventually
from tests.tiny_e5 import write_tiny_model
from tests.tiny_gguf import END, tiny_chat

SAMPLES = Path(__file__).parents[3] / "sample_docs"
SOURCE = Path(__file__).with_name("trace.c")
SCRIPT = "from server.cli.main import main\n\nmain()\n"
SECONDS = 150
NOBODY = "192.0.2.7"  # https://www.rfc-editor.org/rfc/rfc5737
MODULES = ("numpy", "json", "chromadb", "sitecustomize", "psutil", "signal", "kb", "ingest", "server", "torch")
# Chroma reads such a file: its vectors would go to that server, or it would not be imported at all.
DOT_ENV = f"CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\nCHROMA_SERVER_HOST={NOBODY}\nCHROMA_SERVER_HTTP_PORT=99\n"
DEVICES = ("/dev/null", "/dev/tty", "/proc/self/oom_score_adj")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="wants Linux and a C compiler"),
]


@dataclass(frozen=True)
class Trace:
    """What was written down.

    Attributes:
        addresses: That were bound, connected to or sent to.
        names: That were looked up.
        written: Each path that was written to, made or removed, and the mode of a new one.
    """

    addresses: set[str]
    names: set[str]
    written: list[tuple[Path, int]]


class Session:
    """The places of a session, all of them below one folder."""

    def __init__(self, folder: Path) -> None:
        self.user, self.temporary, self.home, self.models, self.documents = (
            folder / name for name in ("user", "temporary", "home", "models", "documents")
        )
        for path in (self.user, self.temporary, self.models):
            path.mkdir()
        shutil.copytree(SAMPLES, self.documents)
        self.marker, self.script = folder / "imported", folder / "bin" / "kb"
        self._log, self._library = folder / "log", folder / "trace.so"
        self.script.parent.mkdir()
        self.script.write_text(SCRIPT)
        compile_it = ["cc", "-shared", "-fPIC", f'-DLOG="{self._log}"', "-o", str(self._library), str(SOURCE), "-ldl"]
        subprocess.run(compile_it, check=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "LD_PRELOAD": str(self._library),
            "HOME": str(self.user),
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KB_HOME": str(self.home),
            "KB_MODELS": str(self.models),
            "KB_EMBEDDING_MODEL": str(write_tiny_model(self.models)),
            "KB_MODEL": str(tiny_chat(self.models / "tiny.gguf", ["\n", "Hello", END])),
            "KB_MIN_EVIDENCE": "0",
            "KB_TOKEN": "of ours",
        }

    def trace(self) -> Trace:
        """Reads what was written down so far."""
        lines = [line.split(" ", 2) for line in self._log.read_text().splitlines()]
        addresses = {value for what, _, value in lines if what in ("bind", "connect", "send")}
        names = {value for what, _, value in lines if what == "look-up"}
        talk = ("bind", "connect", "send", "look-up")
        return Trace(addresses, names, [(Path(value), int(mode, 8)) for what, mode, value in lines if what not in talk])

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        """Runs `kb serve .` as its script does, until the block ends."""
        command = [sys.executable, str(self.script), "serve", ".", "--port", "0"]
        with subprocess.Popen(
            command, cwd=self.documents, env=self.environment, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert eventually(lambda: find_owner(self.home) or process.poll() is not None, SECONDS)
                owner = find_owner(self.home)
                assert owner, process.communicate()[1]
                headers = {"authorization": "Bearer of ours"}
                with httpx.Client(base_url=owner.url, headers=headers, timeout=SECONDS, trust_env=False) as client:
                    assert eventually(lambda: client.get("/readyz").is_success, SECONDS), client.get("/status").text
                    yield client
            finally:
                process.send_signal(signal.SIGINT)
                said = process.communicate(timeout=SECONDS)[1]
        assert process.returncode == 130, said
        assert "Traceback" not in said


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session that is over: documents were read, one was uploaded, questions were asked, and it was started again."""
    session = Session(tmp_path_factory.mktemp("session"))
    for name in MODULES:
        (session.documents / f"{name}.py").write_text(f"open({str(session.marker)!r}, 'w').close()")
    (session.documents / ".env").write_text(DOT_ENV)
    with session.serving() as client:
        assert client.post("/sync").json()["failed"] == 0
        upload = {"files": ("large.md", b"# Large\n\n" + b"The dome is repaired. " * 100_000)}
        assert client.post("/documents", files=upload).is_success
        assert client.post("/sync").json()["documents"] > 5
        assert client.post("/ask", json={"question": "Who repaired the dome?"}).json()["answer"]
    (session.documents / ".env").write_text(DOT_ENV + "MIGRATIONS=true\n")
    with session.serving() as client:
        assert client.get("/status").json()["documents"] > 5
        assert client.post("/search", json={"query": "dome"}).json()["passages"]
    return session


def test_it_talks_to_nobody(session: Session) -> None:
    trace = session.trace()
    assert trace.names <= {"127.0.0.1", "localhost"}
    assert trace.addresses, "that of the page, at least"
    assert [address for address in trace.addresses if not ipaddress.ip_address(address).is_loopback] == []


def test_it_writes_to_its_own_places_and_to_no_others(session: Session) -> None:
    own = (session.home, session.models, session.temporary, session.documents, *map(Path, DEVICES))
    written = {path for path, _ in session.trace().written}
    assert {path for path in written if not any(path.is_relative_to(place) for place in own)} == set()
    assert session.home / "catalog.sqlite3" in written
    assert list(session.user.iterdir()) == []


def test_what_it_writes_for_a_while_nobody_else_can_read(session: Session) -> None:
    files = [(path, mode) for path, mode in session.trace().written if session.temporary in path.parents]
    assert files, "the upload, at least"
    assert [path for path, mode in files if mode & 0o077 and not path.is_dir()] == []


def test_what_it_keeps_nobody_else_can_read(session: Session) -> None:
    assert session.home.stat().st_mode & 0o077 == 0
    kept = [path for path in session.home.iterdir() if path.stat().st_mode & 0o077]
    assert kept == []


def test_it_runs_nothing_that_lies_in_the_working_directory(session: Session) -> None:
    assert not session.marker.exists()


def test_the_trace_has_what_a_process_does(tmp_path: Path) -> None:
    session = Session(tmp_path)
    program = (
        "import contextlib, pathlib, socket, sqlite3, tempfile\n"
        f"with contextlib.suppress(OSError): socket.create_connection(({NOBODY!r}, 9), 0.01)\n"
        "sqlite3.connect('database').execute('CREATE TABLE a (b)')\n"
        "tempfile.TemporaryFile().close(); pathlib.Path('folder').mkdir(0o700)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=session.user, env=session.environment, check=True)
    trace = session.trace()
    assert trace.addresses == trace.names == {NOBODY}
    written = dict(trace.written)
    assert session.user / "database" in written
    assert written[session.user / "folder"] == 0o700
    assert any(path.is_relative_to(session.temporary) for path in written)
