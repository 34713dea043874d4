"""`kb chat` keeps what is answered, and goes on with it another time."""

from collections.abc import Iterator, Sequence

import pytest
from pydantic import BaseModel

from kb.settings import Settings
from kb.values.chat import Turn
from server.cli.conversation import Conversation
from server.cli.keeping import Keeping
from server.client.local import Local
from server.http import schemas
from tests.harness import open_fake_knowledge_base
from tests.server.client.watching import show_nothing
from tests.server.terminal.test_reasons import answer


@pytest.fixture
def service(settings: Settings) -> Iterator[Local]:
    local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
    yield local
    local.close()


def talk(keeping: Keeping, *answers: schemas.Answer) -> tuple[Conversation, list[Sequence[Turn]]]:
    """A conversation with answers at hand, and what it is asked with."""
    histories: list[Sequence[Turn]] = []
    waiting = iter(answers)

    def ask(_: str, history: Sequence[Turn]) -> Iterator[BaseModel]:
        histories.append(history)
        yield next(waiting)

    return Conversation(ask, keeping), histories  # type: ignore[arg-type]


def test_what_was_kept_goes_on_with_its_history(service: Local) -> None:
    first, _ = talk(Keeping(service), answer("In 1987."))
    list(first.ask("When was it built?"))
    keeping = Keeping(service, goes_on=True)
    again, histories = talk(keeping, answer("Ilse Brandt."))
    assert keeping.title == "When was it built?"
    list(again.ask("By whom?"))
    assert histories == [(Turn("When was it built?", "In 1987."),)]
    latest = service.latest_conversation()
    assert latest
    assert [turn.question for turn in latest.turns] == ["When was it built?", "By whom?"]


def test_clearing_begins_another_conversation_and_no_answer_is_not_kept(service: Local) -> None:
    conversation, _ = talk(
        Keeping(service), answer("In 1987."), answer("", finish_reason="no_evidence"), answer("Yes.")
    )
    list(conversation.ask("When?"))
    list(conversation.ask("Why?"))
    conversation.clear()
    list(conversation.ask("Really?"))
    latest = service.latest_conversation()
    assert latest
    assert [turn.question for turn in latest.turns] == ["Really?"]


def test_there_may_be_nothing_to_go_on_with(service: Local) -> None:
    assert Keeping(service, goes_on=True).history == ()
