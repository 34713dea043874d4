"""The model in a process of its own: whatever becomes of it, the parent goes on, and none is left behind."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from kb.adapters.llama import child as llm_child
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.wire import Untuned
from kb.errors import ModelBusy, ModelError, ModelLoadError, ModelMissing
from kb.settings import Settings
from kb.values.answers import AnswerDelta
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Heartbeat, Message
from kb.wiring import open_knowledge_base
from tests.conftest import ROOT
from tests.harness import eventually, quick_settings, watching
from tests.tiny_gguf import END, tiny_chat

QUESTION = [Message("user", "Why?")]
LONG_QUESTION = [Message("user", "Why? " * 1200)]
ENDLESS = [f" word{number}" for number in range(200)]
LONG = GenerationOptions(answer_tokens=8000)
STOP_SECONDS = 2.0
"""What is promised: how soon nothing is computed any more for a client that is gone."""

Start = Callable[..., LlamaProcess]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are POSIX")


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Talks without end, some thousand words a second."""
    return tiny_chat(
        tmp_path_factory.mktemp("models") / "endless.gguf", ["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096
    )


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but takes seconds to read a long question."""
    chain = ["\n", *ENDLESS, ENDLESS[0]]
    return tiny_chat(tmp_path_factory.mktemp("models") / "slow.gguf", chain, feed_forward=16_384)


@pytest.fixture
def start(endless: Path) -> Iterator[Start]:
    started: list[LlamaProcess] = []

    def start(path: Path = endless, queue_size: int = 8) -> LlamaProcess:
        started.append(LlamaProcess(path, "tiny", EngineOptions(16_384, threads=1), queue_size=queue_size))
        return started[-1]

    yield start
    for model in started:
        model.close()
    assert not children()


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if is_ours(child)]


def is_ours(child: psutil.Process) -> bool:
    try:
        return "kb.adapters.llama.main" in child.cmdline()
    except psutil.NoSuchProcess:  # or a zombie
        return False


def kill_child(sent: signal.Signals = signal.SIGKILL) -> None:
    """Ends the child, and waits until its parent has seen that."""
    (child,) = children()
    child.send_signal(sent)
    assert eventually(lambda: not child.is_running())


def words_of(items: list[Generated]) -> list[str]:
    return "".join(item.text for item in items if isinstance(item, Delta)).split()


def answer(model: LlamaProcess, words: int = 5) -> list[str]:
    return words_of(list(model.stream(QUESTION, GenerationOptions(answer_tokens=words))))


def expected(words: int) -> list[str]:
    return [f"word{number % 200}" for number in range(words)]


@pytest.mark.parametrize(
    ("sent", "said"),
    [(signal.SIGKILL, "want of memory"), (signal.SIGSEGV, "crashed .SIGSEGV."), (signal.SIGABRT, "crashed .SIGABRT.")],
)
def test_crash_during_an_answer_is_told_and_the_next_question_is_answered(
    start: Start, sent: signal.Signals, said: str
) -> None:
    model = start()
    running, waiting = model.stream(QUESTION, LONG), model.stream(QUESTION, LONG)
    next(running)
    next(waiting)
    kill_child(sent)
    for stream in (running, waiting):
        with pytest.raises(ModelError, match=said) as caught:
            list(stream)
        assert "ask again" in caught.value.hint
        assert type(caught.value) is ModelError
    assert answer(model) == expected(5)


@pytest.mark.parametrize("asking", ["stream", "count"])
def test_process_that_hangs_is_given_up_and_the_next_question_is_answered(
    start: Start, asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llm_child, "HANG_SECONDS", 0.5)
    model = start()
    stream = model.stream(QUESTION, GenerationOptions(answer_tokens=8000, seconds=0.5))
    next(stream)
    (child,) = children()
    child.suspend()
    with pytest.raises(ModelError, match="did not move any more"):
        list(stream) if asking == "stream" else model.count_tokens("Why?")
    monkeypatch.undo()
    assert answer(model) == expected(5)


def test_who_waits_behind_a_question_that_hangs_is_told_though_its_client_has_left(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llm_child, "HANG_SECONDS", 0.5)
    model, limits = start(), GenerationOptions(answer_tokens=8000, seconds=0.5)
    hanging, waiting = model.stream(QUESTION, limits), model.stream(QUESTION, limits)
    next(hanging)
    assert any(isinstance(item, Heartbeat) and item.place == 1 for item in waiting)
    (child,) = children()
    child.suspend()
    hanging.close()
    with pytest.raises(ModelError, match="did not move any more"):
        list(waiting)


def test_reply_that_nobody_reads_for_a_while_is_no_hanging_process(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llm_child, "HANG_SECONDS", 0.1)
    stream = start().stream(QUESTION, GenerationOptions(answer_tokens=500, seconds=0.2))
    next(stream)
    time.sleep(0.5)
    assert isinstance(list(stream)[-1], GenerationEnd)


def test_what_the_child_logs_is_logged(endless: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    LlamaProcess(endless, "tiny", Untuned(EngineSettings(1024, threads=1), tmp_path / "file" / "tuning.json")).close()
    assert any(
        record.name == "kb.adapters.llama.tuning_cache" and "measured again" in record.message
        for record in caplog.records
    )


def test_knowledge_base_goes_on_when_the_model_crashes(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    with watching(quick_settings(tmp_path / "home", answer_tokens=1000), folder, model=start()) as watched:
        watched.write("dome.md", "The second dome was repaired in March.")
        watched.sync()
        events = watched.knowledge_base.ask_stream("When was the second dome repaired?")
        assert any(isinstance(event, AnswerDelta) for event in events)
        kill_child()
        with pytest.raises(ModelError, match="killed"):
            list(events)
        assert watched.finds("second dome")
        with contextlib.closing(watched.knowledge_base.ask_stream("When was the second dome repaired?")) as again:
            assert any(isinstance(event, AnswerDelta) for event in again)


def test_question_after_a_crash_hears_heartbeats_until_the_model_is_there_again(start: Start) -> None:
    model = start()
    kill_child()
    assert eventually(lambda: not model.ready(0))
    stream = model.stream(QUESTION, GenerationOptions(answer_tokens=3))
    assert next(stream) == Heartbeat()
    assert words_of(list(stream)) == expected(3)


def test_tokens_are_counted_again_after_a_crash(start: Start) -> None:
    model = start()
    counted = model.count_tokens("some words")
    kill_child()
    assert model.count_tokens("some words") == counted


def test_model_that_only_crashes_is_given_up(start: Start) -> None:
    model = start()
    for _ in range(2):
        kill_child()
        assert model.ready(20)
    kill_child()
    for _ in range(2):
        with pytest.raises(ModelLoadError, match="3 times in a row") as caught:
            answer(model)
        assert "restart the service" in caught.value.hint
    assert not children()


def test_model_that_answers_in_between_is_not_given_up(start: Start) -> None:
    model = start()
    for _ in range(4):
        assert answer(model) == expected(5)
        kill_child()
    assert answer(model) == expected(5)


def test_crash_while_it_loads_is_a_model_that_does_not_load(endless: Path) -> None:
    caught: list[ModelError] = []

    def load() -> None:
        try:
            LlamaProcess(endless, "tiny", EngineOptions())
        except ModelError as error:
            caught.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    assert eventually(children)
    kill_child(signal.SIGSEGV)
    thread.join(10)
    assert isinstance(caught[0], ModelLoadError)
    assert "SIGSEGV) while it was being loaded" in caught[0].message


def test_file_that_is_no_model_or_not_there_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, but not really")
    with pytest.raises(ModelLoadError, match=r"broken\.gguf could not be loaded"):
        LlamaProcess(tmp_path / "broken.gguf", "broken", EngineOptions())
    with pytest.raises(ModelMissing, match="there is no model file"):
        LlamaProcess(tmp_path / "missing.gguf", "missing", EngineOptions())
    assert not children()


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
        assert knowledge_base.wait_for_model(20)
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
            assert parent.stdout.readline() == f"{said} False\n", "llama.cpp is in the child alone"
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


def test_twenty_questions_at_once_are_answered_in_their_order(start: Start) -> None:
    model = start(queue_size=20)
    streams = [model.stream(QUESTION, GenerationOptions(answer_tokens=30 + number)) for number in range(20)]
    heard = [[next(stream)] for stream in streams]
    for number, stream in enumerate(streams):
        heard[number] += stream
        assert words_of(heard[number]) == expected(30 + number)
    places = [[item.place for item in items if isinstance(item, Heartbeat)] for items in heard]
    assert all(sorted(seen, reverse=True) == seen for seen in places)
    assert places[19][0] > 0


def test_twenty_clients_get_each_their_own_answer_or_are_told_to_come_back(start: Start) -> None:
    model = start(queue_size=4)
    together = threading.Barrier(20)
    outcomes: dict[int, list[str] | int] = {}

    def ask(number: int) -> None:
        together.wait(10)
        try:
            outcomes[number] = answer(model, 50 + number)
        except ModelBusy as busy:
            outcomes[number] = busy.retry_after_seconds

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(20)
    answered = {number for number, outcome in outcomes.items() if isinstance(outcome, list)}
    assert len(outcomes) == 20
    assert len(answered) >= 5
    assert all(outcomes[number] == expected(50 + number) for number in answered)
    assert all(seconds >= 1 for seconds in outcomes.values() if not isinstance(seconds, list))


@pytest.mark.parametrize("times", [4, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(120)])])
def test_client_that_leaves_stops_the_work_soon(start: Start, slow: Path, times: int) -> None:
    model = start(slow)
    (child,) = children()
    for number in range(times):
        question = LONG_QUESTION if number % 2 else QUESTION
        stream = model.stream(question, LONG)
        first = next(stream)
        assert isinstance(first, Heartbeat if number % 2 else Delta)
        stream.close()
        assert eventually(lambda: is_idle(child), STOP_SECONDS)
    assert answer(model) == expected(5)


def is_idle(process: psutil.Process) -> bool:
    before = sum(process.cpu_times()[:2])
    time.sleep(0.1)
    return sum(process.cpu_times()[:2]) - before < 0.02


def test_memory_does_not_grow_over_five_hundred_questions(start: Start, tmp_path: Path) -> None:
    model = start(tiny_chat(tmp_path / "short.gguf", ["\n", "Because", ".", END]))
    both = [psutil.Process(), *children()]

    def ask(times: int) -> list[int]:
        for number in range(times):
            messages = [Message("user", f"Why is it number {number}?")]
            items = model.stream(messages, GenerationOptions())
            said = words_of(list(itertools.islice(items, 2) if number % 5 == 0 else items))
            assert said and said[0].startswith("Because")
            items.close()
            model.count_tokens(messages[0].content)
        return [process.memory_info().rss for process in both]

    before = ask(20)
    after = ask(500)
    assert all(later - earlier < 50_000_000 for earlier, later in zip(before, after, strict=True))


def test_counting_goes_on_beside_an_answer(start: Start) -> None:
    model = start()
    counted = model.count_tokens("some words")
    stream = model.stream(QUESTION, LONG)
    next(stream)
    assert {model.count_tokens("some words") for _ in range(50)} == {counted}
    with contextlib.closing(stream):
        assert isinstance(next(stream), Delta)
