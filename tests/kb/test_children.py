"""How child processes are started and ended: what reaches them, and what is said of their end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from kb import children
from kb.children import ChildNotStarted
from kb.errors import KBError
from tests.harness import eventually

MODULES = {
    "ingest.sandbox.main": [],
    "kb.adapters.chroma.probe": ["store"],
    "kb.adapters.embedding.onnx_export.convert": ["no-such-model"],
    "kb.adapters.llama.main": [],
    "kb.adapters.llama.rendering": [],
    "pip": ["--version"],
}
"""All that is run as a child, with arguments for which it ends by itself."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are POSIX")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with modules that leave a mark when they are imported."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in ("numpy", "json", "psutil", "kb", "ingest", "pip"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'imported')!r}, 'w').close()")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def runnable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Makes a module out of a text that a child finds, wherever it is installed; its name."""

    def make(text: str) -> str:
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "child_of_a_test.py").write_text(text)
        monkeypatch.setattr(children, "_ROOT", tmp_path / "root")
        return "child_of_a_test"

    return make


@pytest.mark.timeout(120)
@pytest.mark.parametrize("module", MODULES)
def test_no_child_imports_what_lies_in_the_working_directory(module: str, hostile: Path) -> None:
    arguments = [str(hostile / argument) if argument[0] != "-" else argument for argument in MODULES[module]]
    assert children.watch(children.start(module, *arguments), 100) is not None
    assert not (hostile / "imported").exists()


def test_what_lies_in_the_working_directory_would_be_imported_else(
    hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)  # `kb` sets it for its whole process
    subprocess.run([sys.executable, "-m", "kb.adapters.chroma.probe", "store"], check=False, capture_output=True)
    assert (hostile / "imported").exists()


SECRETS = ("KB_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "LLAMA_API_KEY", "SSH_AUTH_SOCK")
CODE = ("PYTHONSTARTUP", "PYTHONHOME", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONPLATLIBDIR")


def test_a_child_gets_what_it_needs_and_no_secret(
    runnable: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = ("PATH", "HOME", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    for name in (*needed, *SECRETS, *CODE):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    module = runnable("import os; print(*sorted(os.environ), os.environ['PYTHONPATH'])")
    child = children.start(module, has_pipes=True, environment={"PIP_NO_INDEX": "1"})
    assert child.stdout
    *names, path = child.stdout.read().decode().split()
    children.end(child)
    assert {*needed, "PIP_NO_INDEX", "PYTHONUTF8"} <= set(names)
    assert not {*SECRETS, *CODE} & set(names)
    assert path.endswith("root")


def test_what_a_child_prints_is_kept_where_it_is_wanted(runnable: Callable[[str], str], tmp_path: Path) -> None:
    module = runnable("import os, sys; print(os.getcwd(), flush=True); sys.exit('no use')")
    (tmp_path / "elsewhere").mkdir()
    with (tmp_path / "printed").open("w+b") as printed:
        child = children.start(module, output=printed, folder=tmp_path / "elsewhere")
        assert children.watch(child) == 1
    assert (tmp_path / "printed").read_text().splitlines() == [str(tmp_path / "elsewhere"), "no use"]


def test_a_child_does_not_work_where_somebody_elses_files_lie(runnable: Callable[[str], str], hostile: Path) -> None:
    child = children.start(runnable("import os; print(os.getcwd())"), has_pipes=True)
    assert children.exchange(child, b"", 100)[0].decode().strip().endswith("root")


def test_a_child_that_is_asked_for_too_long_is_ended(runnable: Callable[[str], str]) -> None:
    child = children.start(runnable("print('said', flush=True); input(); input()"), has_pipes=True)
    assert children.exchange(child, b"one line\n", 100) == (b"said\n", 1)
    child = children.start("child_of_a_test", has_pipes=True)
    assert children.exchange(child, b"\n\n", 100) == (b"said\n", 0)
    child = children.start("timeit", "-n", "1", "while True: pass", has_pipes=True)
    assert children.exchange(child, b"", 0.2) == (b"", None)
    assert not psutil.pid_exists(child.pid)


def test_a_child_has_a_session_of_its_own(runnable: Callable[[str], str]) -> None:
    child = children.start(runnable("input()"), has_pipes=True)
    assert os.getsid(child.pid) != os.getsid(0)
    assert children.end(child) == -signal.SIGKILL


def test_system_that_starts_no_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(ChildNotStarted, match="no process can be started: No such file") as caught:
        children.start("json.tool")
    assert caught.value.hint


def test_a_child_that_takes_too_long_is_ended(runnable: Callable[[str], str]) -> None:
    child = children.start(runnable("import time; time.sleep(60)"))
    assert children.watch(child, 0.2) is None
    assert not psutil.pid_exists(child.pid)


def test_what_is_raised_while_a_child_is_looked_after_ends_it(runnable: Callable[[str], str]) -> None:
    child = children.start(runnable("import time; time.sleep(60)"))

    def stop() -> None:
        raise KBError("closed")

    with pytest.raises(KBError, match="closed"):
        children.watch(child, look=stop)
    assert not psutil.pid_exists(child.pid)


@pytest.mark.parametrize(
    ("ends", "described"),
    [
        ("sys.exit(3)", "ended with exit status 3"),
        ("os.kill(os.getpid(), 9)", "was killed, probably for want of memory"),
        ("os.abort()", "crashed (SIGABRT)"),
        ("os.kill(os.getpid(), 40)", "crashed (signal 40)"),
    ],
)
def test_how_a_child_ended_is_described(ends: str, described: str, runnable: Callable[[str], str]) -> None:
    status = children.watch(children.start(runnable(f"import os, sys; {ends}")))
    assert status is not None
    assert children.describe_end(status) == described
    assert children.was_killed(status) == ("killed" in described)


def test_ending_a_child_that_has_ended_tells_how(runnable: Callable[[str], str]) -> None:
    child = children.start(runnable("raise SystemExit(7)"), has_pipes=True)
    assert eventually(lambda: children.wait(child, 0.1) is not None)
    assert children.end(child) == 7
    assert children.end(child) == 7
