from collections.abc import Generator, Sequence

import pytest
from pydantic import BaseModel

from kb.errors import ModelBusy
from kb.values.answers import FinishReason
from kb.values.chat import Turn
from server.cli.conversation import HISTORY_TURNS, Command, Conversation, command_of
from server.http import schemas
from server.http.schemas.answers import ListedDocument
from tests.server.terminal.test_reasons import answer


class Service:
    """Answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: schemas.Answer) -> None:
        self.asked: list[tuple[str, Sequence[Turn]]] = []
        self.closed = 0
        self._answers = list(answers)

    def ask(self, question: str, history: Sequence[Turn]) -> Generator[BaseModel, None, None]:
        self.asked.append((question, history))
        try:
            yield schemas.PassagesEvent(passages=[])
            yield schemas.AnswerEvent(text="It ")
            yield self._answers.pop(0)
        finally:
            self.closed += 1


def test_each_question_is_asked_with_what_was_said_before_and_without_the_reasoning() -> None:
    service = Service(answer(), answer("In 1987."), answer("Ilse Brandt."))
    talk = Conversation(service.ask)
    for question in ("When does the dome open?", "And when was it built?", "那是谁建的？"):
        assert isinstance(list(talk.ask(question))[-1], schemas.Answer)
    assert service.asked[0] == ("When does the dome open?", ())
    assert service.asked[2] == (
        "那是谁建的？",
        (Turn("When does the dome open?", "It opens at nine."), Turn("And when was it built?", "In 1987.")),
    )
    assert talk.last is not None
    assert talk.last.answer == "Ilse Brandt."


def test_answer_that_is_broken_off_is_stopped_and_not_remembered() -> None:
    service = Service(answer(), answer("Never heard."))
    talk = Conversation(service.ask)
    list(talk.ask("First?"))
    events = talk.ask("Second?")
    next(events)
    next(events)
    events.close()
    assert service.closed == 2
    assert talk.history == (Turn("First?", "It opens at nine."),)
    assert talk.last is not None
    assert talk.last.answer == "It opens at nine."


def test_number_of_a_document_that_was_offered_asks_the_same_of_it() -> None:
    offered = [ListedDocument(id=name, title=name, source=f"{name}/lease.md") for name in ("flat", "garage")]
    open_answer = answer("Which one?", "choices").model_copy(update={"documents": offered})
    service = Service(open_answer, answer(), answer())
    talk = Conversation(service.ask)
    for typed in ("Summarise the lease.", "2", "2"):
        list(talk.ask(typed))
    assert [question for question, _ in service.asked] == [
        "Summarise the lease.",
        "Summarise the lease. (garage/lease.md)",
        "2",
    ]


def test_question_that_fails_is_not_remembered() -> None:
    def fails(question: str, history: Sequence[Turn]) -> Generator[BaseModel, None, None]:
        yield schemas.AnswerEvent(text="It ")
        raise ModelBusy("full")

    talk = Conversation(fails)
    with pytest.raises(ModelBusy):
        list(talk.ask("Why?"))
    assert (talk.history, talk.last) == ((), None)


@pytest.mark.parametrize(("reason", "is_kept"), [("length", True), ("no_evidence", False), ("cancelled", False)])
def test_refusals_and_fragments_are_not_part_of_the_history(reason: FinishReason, is_kept: bool) -> None:
    talk = Conversation(Service(answer("Some text.", reason)).ask)
    list(talk.ask("Why?"))
    assert bool(talk.history) == is_kept
    assert talk.last is not None, "it can be looked into all the same"


def test_history_can_be_cleared_and_does_not_grow_for_ever() -> None:
    talk = Conversation(Service(*[answer()] * 30).ask)
    for number in range(30):
        list(talk.ask(f"Question {number}?"))
    assert [turn.question for turn in talk.history] == [f"Question {n}?" for n in range(30 - HISTORY_TURNS, 30)]
    talk.clear()
    assert (talk.history, talk.last) == ((), None)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/sources", Command.SOURCES),
        ("/WHY", Command.WHY),
        ("/clear", Command.CLEAR),
        ("/help", Command.HELP),
        *((text, Command.EXIT) for text in ("exit", "quit", "/exit", "/quit", "Quit")),
        ("／why", Command.WHY),
        ("、exit", Command.EXIT),
        ("/", Command.UNKNOWN),
        ("/sauces", Command.UNKNOWN),
        ("", None),
        ("/etc/hosts", None),
        ("/why is it so", None),
        ("exit the dome?", None),
        ("退出", None),
        ("、为什么？", None),
    ],
)
def test_commands_are_told_from_questions(text: str, command: Command | None) -> None:
    assert command_of(text) is command
