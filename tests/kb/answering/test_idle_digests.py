import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.settings import load
from kb.values.answers import AskOptions, Step
from tests.fakes import FakeLanguageModel
from tests.harness import eventually, open_fake_knowledge_base
from tests.kb.answering.kinds.document.document_harness import add

RULES = [(f"Part {n}", f"Rule {n} says that rent and notice are agreed. " * 10) for n in range(3)]
SAID = "Rent and notice are agreed."


@contextmanager
def opened(tmp_path: Path, model: FakeLanguageModel, digest: str) -> Iterator[KnowledgeBase]:
    settings = load({}, home=tmp_path / "home", models=tmp_path / "models", min_evidence=0.0, digest=digest)
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        knowledge_base.models.start()
        knowledge_base.wait_for_index()
        add(knowledge_base, "lease.md", "The lease", *RULES)
        knowledge_base.digest_when_idle()
        yield knowledge_base


def sections_read(knowledge_base: KnowledgeBase) -> int:
    events = knowledge_base.ask_stream("Summarise the lease.", options=AskOptions(kind="document"))
    return sum(isinstance(event, Step) and event.doing == "section" for event in events)


def test_new_documents_are_read_while_nobody_asks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with opened(tmp_path, FakeLanguageModel(SAID), "idle") as knowledge_base:
        assert eventually(lambda: "lease.md has been read ahead" in caplog.text)
        assert sections_read(knowledge_base) == 0


def test_nothing_is_read_ahead_unless_it_is_wanted(tmp_path: Path) -> None:
    with opened(tmp_path, FakeLanguageModel(SAID), "asked") as knowledge_base:
        assert sections_read(knowledge_base) == len(RULES)


def test_question_that_comes_stops_it(tmp_path: Path) -> None:
    goes_on = threading.Event()
    model = FakeLanguageModel(SAID, goes_on=goes_on)
    with opened(tmp_path, model, "idle") as knowledge_base:
        assert eventually(lambda: model.asked)
        events = knowledge_base.ask_stream("When does the lease begin?")
        next(events)
        goes_on.set()
        assert eventually(lambda: model.finished)
        assert model.finished[0] == "cancelled"
        events.close()
