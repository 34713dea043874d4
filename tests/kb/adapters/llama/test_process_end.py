"""The process of a model ends with its parent, and no other way; none is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from kb.settings import Settings
from kb.values.chat import GenerationEnd
from kb.wiring import open_knowledge_base
from tests.conftest import ROOT
from tests.harness import eventually
from tests.kb.adapters.llama.process_harness import LONG, QUESTION, STOP_SECONDS, Start, answer, children, expected

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are POSIX")


def test_closing_ends_what_runs_and_the_process_at_once(start: Start) -> None:
    model = start()
    running, waiting = model.stream(QUESTION, LONG), model.stream(QUESTION, LONG)
    next(running)
    next(waiting)
    began = time.monotonic()
    model.close()
    assert not children()
    assert time.monotonic() - began < STOP_SECONDS
    for stream in (running, waiting):
        *_, end = stream
        assert isinstance(end, GenerationEnd)
        assert end.finish_reason == "cancelled"


def test_closing_the_library_ends_the_process(endless: Path, settings: Settings) -> None:
    with open_knowledge_base(settings.model_copy(update={"model": str(endless)})) as knowledge_base:
        assert knowledge_base.models.wait_for_model(20)
        assert len(children()) == 1
        began = time.monotonic()
    assert not children()
    assert time.monotonic() - began < STOP_SECONDS


PARENT = """
import sys, threading, time
from pathlib import Path
import psutil
from kb.adapters.llama.options import EngineOptions
from kb.values.chat import GenerationOptions, Message
from kb.adapters.llama.process import LlamaProcess

def talk():
    model = LlamaProcess(Path(sys.argv[1]), "tiny", EngineOptions(16_384, threads=1))
    question = Message("user", "Why? " * int(sys.argv[2]))
    for item in model.stream([question], GenerationOptions(answer_tokens=1000)):
        print(type(item).__name__, "llama_cpp" in sys.modules, flush=True)

threading.Thread(target=talk, daemon=True).start()
while not (children := psutil.Process().children()):
    time.sleep(0.001)
print(children[0].pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("state", ["loading", "reading", "talking"])
def test_killed_parent_leaves_no_process_behind(slow: Path, state: str) -> None:
    times = 2500 if state == "reading" else 1
    command = [sys.executable, "-c", PARENT, str(slow), str(times)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        if state != "loading":
            said = "Heartbeat" if state == "reading" else "Delta"
            heard = next(line for line in parent.stdout if line.startswith(said))
            assert heard == f"{said} False\n", "llama.cpp is in the child alone"
        assert not is_gone(child)
        parent.kill()
        # One that has only just begun must first have loaded Python.
        assert eventually(lambda: is_gone(child), 15 if state == "loading" else STOP_SECONDS)


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; who takes a parent's place need not look after its children at once."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_child_does_not_hear_what_is_typed_in_the_terminal(start: Start) -> None:
    model = start()
    (child,) = children()
    assert os.getsid(child.pid) != os.getsid(0)
    child.send_signal(signal.SIGINT)
    assert answer(model) == expected(5)
    assert children() == [child]


def test_child_gets_no_settings(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_TOKEN", "secret")
    start()
    assert not [name for name in children()[0].environ() if name.startswith("KB_")]
