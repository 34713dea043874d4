"""`kb chat` as it is used: lines in, text out, against services near and far; and at a real terminal."""

import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import BaseModel

from kb.errors import ModelBusy, ModelError, ModelMissing, RequestTooLarge
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import FinishReason, LeftOut
from kb.values.chat import Turn
from server.cli.chat import PROMPT, chat
from server.client.connection import connect
from server.client.local import Local
from server.client.service import Service
from server.http import schemas
from tests.fakes import FakeLanguageModel
from tests.harness import eventually, open_fake_knowledge_base, quick_settings, serving
from tests.server.terminal.test_reasons import answer

ROOT = Path(__file__).parents[3]
DOME = "# Dome\n\nThe second dome was repaired in March. It opened in 1987.\n"
QUESTION = "When was the second dome repaired?"

Say = Callable[..., tuple[str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home", folders=(tmp_path / "papers",), max_question_chars=200, min_evidence=0.5)


@pytest.fixture
def model() -> FakeLanguageModel:
    return FakeLanguageModel("The second dome was repaired in March.", "Look for the \x1b[31mdome.")


@pytest.fixture(params=["local", "remote"])
def service(request: pytest.FixtureRequest, settings: Settings, model: FakeLanguageModel) -> Iterator[Service]:
    folder = settings.folders[0]
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    if request.param == "remote":
        with serving(settings, folder, model=model) as served, connect(settings, show_nothing) as service:
            served.sync()
            yield service
    else:
        with closing(Local(open_fake_knowledge_base(settings), show_nothing, settings)) as before:
            before.sync(lambda status: None)
        with closing(Local(open_fake_knowledge_base(settings, model=model), show_nothing, settings)) as service:
            yield service


def show_nothing(knowledge_base: KnowledgeBase, answering: bool) -> None:
    knowledge_base.wait_for_index()


@pytest.fixture
def say(service: Service, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Types lines, and gives what was printed: the answers, and the rest."""

    def say(*lines: str, show_reasoning: bool = False) -> tuple[str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        capfd.readouterr()
        chat(service.ask, show_reasoning=show_reasoning, min_evidence=service.status().min_evidence)
        return capfd.readouterr()

    return say


def test_follow_up_is_asked_with_the_conversation_before_it(say: Say, model: FakeLanguageModel) -> None:
    out, err = say(QUESTION, "And when did it open?", "那它是什么时候开的？")
    assert out.count("The second dome was repaired in March.") >= 3
    assert "[1] dome.md · Dome" in out
    assert "error" not in err
    roles = [[message.role for message in messages if message.role != "system"] for messages in model.asked]
    assert roles == [["user", "assistant"] * n + ["user"] for n in range(3)]
    said = "\n".join(message.content for message in model.asked[-1])
    assert QUESTION in said
    assert "And when did it open?" in said
    assert "Look for" not in said, "reasoning is never part of the history"


def test_piped_questions_get_answers_without_decoration(say: Say) -> None:
    out, err = say("", "   ", QUESTION)
    assert out.startswith("The second dome was repaired in March.\n")
    assert "> " not in out + err
    assert "\x1b" not in out + err


def test_reasoning_is_shown_only_if_wanted_and_why_shows_it_afterwards(say: Say) -> None:
    assert "Look for" not in "".join(say(QUESTION))
    assert "Look for the dome." in say(QUESTION, show_reasoning=True)[1]
    out, _ = say(QUESTION, "/why")
    assert "Look for the dome." in out


def test_sources_shows_quotes_and_passages(say: Say) -> None:
    out, _ = say(QUESTION, "/sources")
    shown = out.partition("prompt tokens")[2] or out
    assert shown.count("[1] dome.md · Dome") == 2
    assert "passages found" in shown
    assert "1. dome.md · Dome" in shown


def test_cleared_conversation_is_forgotten(say: Say, model: FakeLanguageModel) -> None:
    _, err = say(QUESTION, "/clear", "/why", QUESTION)
    assert "nothing has been answered yet" in err
    assert [len(messages) for messages in model.asked] == [2, 2]


def test_refusal_is_explained(say: Say) -> None:
    out, err = say("Xylophone zebra?", "/why")
    assert "do not seem to answer this" in out
    assert "The model was not asked" in out
    assert "0.03 of 1, and 0.5 is needed" in out
    assert "for lack of room" not in out + err


def test_what_the_model_did_not_see_is_told_in_one_line_and_marked_among_the_sources(
    capfd: pytest.CaptureFixture[str],
) -> None:
    lines = iter([QUESTION])
    whole = answer(left_out=LeftOut(2, (1,)))
    chat(lambda *_: (body for body in [whole]), read_line=lambda: next(lines, None))
    assert capfd.readouterr().err.count("did not see 2 earlier turns and passage 1,") == 1
    lines = iter([QUESTION, "/sources"])
    chat(lambda *_: (body for body in [whole]), read_line=lambda: next(lines, None))
    assert "1. guide.md · p. 1 · Domes (not seen by the model)" in capfd.readouterr().out


@pytest.mark.parametrize(("text", "reason", "said"), [("", "stop", "wrote nothing"), ("It", "length", "length limit")])
def test_answer_that_is_not_whole_says_so(
    text: str, reason: FinishReason, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = iter([QUESTION])
    chat(lambda *_: (body for body in [answer(text, reason)]), read_line=lambda: next(lines, None))
    assert said in capfd.readouterr().err


def test_file_that_changed_while_we_talk_answers_as_it_is_now_and_is_told(say: Say, settings: Settings) -> None:
    say(QUESTION)
    (settings.folders[0] / "dome.md").write_text(DOME.replace("1987", "1991"))
    out, err = say(QUESTION, "/sources")
    assert "brought up to date for this answer: dome.md" in err
    assert "1991" in out
    assert "1987" not in out
    (settings.folders[0] / "dome.md").unlink()
    out, err = say(QUESTION)
    assert "brought up to date for this answer: dome.md" in err
    assert "1991" not in out


@pytest.mark.parametrize("word", ["exit", "quit", "/exit", "/quit"])
def test_conversation_ends_when_it_is_wanted(say: Say, model: FakeLanguageModel, word: str) -> None:
    say(word, QUESTION)
    assert model.asked == []


def test_errors_are_shown_with_their_hint_and_the_conversation_goes_on(say: Say, model: FakeLanguageModel) -> None:
    out, err = say("why " * 100, QUESTION, "/nonsense", "/help")
    assert "error: the question has" in err
    assert "→ ask a shorter question" in err
    assert "The second dome was repaired in March." in out
    assert "no such command" in err
    assert "/sources" in out


def test_what_is_typed_is_cleaned_before_it_is_asked(say: Say, model: FakeLanguageModel) -> None:
    say(f"\x1b[200~{QUESTION[:8]}\x00\N{RIGHT-TO-LEFT OVERRIDE}{QUESTION[8:]}\x1b[201~")
    assert f"Question: {QUESTION}\n" in model.asked[0][-1].content


@pytest.mark.parametrize("error", [ModelBusy("8 questions wait"), ModelMissing("no model"), RequestTooLarge("long")])
def test_any_error_leaves_the_conversation_as_it_was(error: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    histories: list[Sequence[Turn]] = []

    def ask(question: str, history: Sequence[Turn]) -> Generator[BaseModel, None, None]:
        histories.append(history)
        if question == "Second?":
            raise error
        yield answer()

    lines = iter(["First?", "Second?", "Third?"])
    chat(ask, read_line=lambda: next(lines, None))
    assert [[turn.question for turn in history] for history in histories] == [[], ["First?"], ["First?"]]
    assert str(error) in capfd.readouterr().err


def test_interrupt_stops_the_answer_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    ended: list[str] = []
    histories: list[Sequence[Turn]] = []

    def ask(question: str, history: Sequence[Turn]) -> Generator[BaseModel, None, None]:
        histories.append(history)
        try:
            yield schemas.AnswerEvent(text=f"{question} I ")
            if question == "Second?":
                raise KeyboardInterrupt
            yield answer()
        finally:
            ended.append(question)

    lines = iter(["First?", "Second?", "Third?"])
    chat(ask, read_line=lambda: next(lines, None))
    assert ended == ["First?", "Second?", "Third?"]
    assert [[turn.question for turn in history] for history in histories] == [[], ["First?"], ["First?"]]
    assert "stopped" in capfd.readouterr().err


def test_error_in_the_middle_of_an_answer_stands_on_a_line_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    def ask(question: str, history: Sequence[Turn]) -> Generator[BaseModel, None, None]:
        yield schemas.AnswerEvent(text="The dome was")
        raise ModelError("the model is gone", "ask again")

    lines = iter([QUESTION])
    chat(ask, read_line=lambda: next(lines, None))
    assert "The dome was\n" in capfd.readouterr().out


def test_escapes_of_documents_and_models_never_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    evil = "repaired \x1b]0;owned\x07\x1b[2J\x9b1A\rin March"
    place = {"document_id": "d", "title": evil, "source": evil, "page": 1, "heading": evil, "start": 0, "end": 9}
    passage = {**place, "number": 1, "text": evil, "score": 1.0, "similarity": 0.9}
    citation = {**place, "number": 1, "quote": evil, "answer_start": 0, "answer_end": 9, "verified": False, "score": 1}
    index = {"pending": 0, "failed": 0, "last_sync": None, "refreshed": [evil], "stale": [evil]}
    whole = answer(evil).model_dump() | {
        "reasoning": evil,
        "model": evil,
        "passages": [passage],
        "citations": [citation],
        "index": index,
    }

    def ask(question: str, history: Sequence[Turn]) -> Generator[BaseModel, None, None]:
        yield schemas.PassagesEvent.model_validate({"passages": [passage]})
        yield schemas.ReasoningEvent(text=evil)
        yield schemas.AnswerEvent(text=evil)
        yield schemas.Answer.model_validate(whole)
        raise ModelBusy(evil, evil)

    lines = iter([QUESTION, "/sources", "/why"])
    chat(ask, show_reasoning=True, read_line=lambda: next(lines, None))
    shown = "".join(capfd.readouterr())
    assert shown.count("repaired in March") >= 14
    assert not {"\x1b", "\x9b", "\x07", "\r"}.intersection(shown)


class Terminal:
    """`kb chat` at a pseudo-terminal, talking to a service of this process."""

    def __init__(self, home: Path) -> None:
        self.shown = ""
        main, end = pty.openpty()
        self._fd = main
        environment = {**os.environ, "KB_HOME": str(home), "TERM": "xterm", "COLUMNS": "120"}
        command = [sys.executable, "-m", "server", "chat"]
        self.process = subprocess.Popen(
            command, stdin=end, stdout=end, stderr=end, cwd=ROOT, env=environment, start_new_session=True
        )
        os.close(end)
        threading.Thread(target=self._read, daemon=True).start()

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def waits_for(self, text: str) -> bool:
        return eventually(lambda: text in self.shown)

    def interrupt(self) -> None:
        self.process.send_signal(2)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._fd, 4096)
            except OSError:
                return
            self.shown += piece.decode(errors="replace")


def test_at_a_terminal_an_answer_can_be_stopped_and_the_talk_goes_on(settings: Settings) -> None:
    folder = settings.folders[0]
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    goes_on = threading.Event()
    model = FakeLanguageModel("The second dome was repaired in March.", goes_on=goes_on)
    with serving(settings, folder, model=model) as served:
        served.sync()
        sitting = Terminal(settings.home)
        assert sitting.waits_for(PROMPT)
        sitting.type(f"{QUESTION}\n")
        assert sitting.waits_for("found: dome.md")
        sitting.interrupt()
        assert sitting.waits_for("stopped")
        goes_on.set()
        assert eventually(lambda: model.finished == ["cancelled"])
        sitting.type("圆x\x7f顶\x15And when was the second dome repaired?\n")
        assert sitting.waits_for("prompt tokens")
        assert [message.content for message in model.asked[-1] if message.role == "assistant"] == []
        assert "And when was the second dome repaired?" in model.asked[-1][-1].content
        assert "圆" not in model.asked[-1][-1].content
        assert eventually(lambda: sitting.shown.endswith(PROMPT)), "the answer is kept first"
        sitting.type("half a question about the dome")
        assert sitting.waits_for("half a question about the dome")
        assert eventually(lambda: model.read), "its sources are read ahead"
        prompts = sitting.shown.count(PROMPT)
        sitting.interrupt()
        assert eventually(lambda: sitting.shown.count(PROMPT) > prompts)
        assert sitting.process.poll() is None, "a line that was begun is thrown away"
        sitting.interrupt()
        assert sitting.process.wait(10) == 0
