"""The model in a process of its own: whatever becomes of it, the parent goes on."""

import contextlib
import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from kb.adapters.llama import child as llm_child
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.wire import Untuned
from kb.errors import ModelError, ModelLoadError, ModelMissing
from kb.values.answers import AnswerDelta
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat
from tests.harness import eventually, quick_settings, watching
from tests.kb.adapters.llama.process_harness import (
    LONG,
    QUESTION,
    Start,
    answer,
    children,
    expected,
    is_idle,
    kill_child,
    until,
    words_of,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are POSIX")


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
    stream = model.stream(QUESTION, GenerationOptions(answer_tokens=8000, seconds=2.0))
    until(Delta, stream)
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
    model, limits = start(), GenerationOptions(answer_tokens=8000, seconds=2.0)
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
    monkeypatch.setattr(llm_child, "HANG_SECONDS", 1.0)
    model = start()
    (child,) = children()
    stream = model.stream(QUESTION, GenerationOptions(answer_tokens=500, seconds=0.2))
    next(stream)
    began = time.monotonic()
    assert eventually(lambda: time.monotonic() > began + 1.5 and is_idle(child))
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
    with watching(quick_settings(tmp_path / "home", answer_tokens=8000), folder, model=start()) as watched:
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


def test_question_after_a_crash_hears_heartbeats_until_the_model_is_there_again(endless: Path, tmp_path: Path) -> None:
    known = tmp_path / "tuning.json"
    with contextlib.closing(LlamaProcess(endless, "tiny", Untuned(EngineSettings(1024, threads=1), known))) as model:
        measured = known.read_text()
        known.unlink()
        os.mkfifo(known)  # now whoever reads it waits until it is written
        kill_child()
        assert not model.ready(0)
        stream = model.stream(QUESTION, GenerationOptions(answer_tokens=3))
        assert list(itertools.islice(stream, 3)) == [Heartbeat()] * 3
        known.write_text(measured)
        assert words_of(list(stream)) == expected(3)
        assert model.ready(0)


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


def test_crash_while_it_loads_is_a_model_that_does_not_load(endless: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tuning.json")  # which is waited for as long as nobody writes it
    caught: list[ModelError] = []

    def load() -> None:
        try:
            LlamaProcess(endless, "tiny", Untuned(EngineSettings(), tmp_path / "tuning.json"))
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
