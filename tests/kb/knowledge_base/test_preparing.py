"""A question that is being written: the model reads ahead what it will be asked."""

import pytest

from kb.errors import InvalidRequest, RequestTooLarge
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import AskOptions
from kb.values.chat import Turn
from kb.values.filters import Filters
from tests.fakes import FakeEngine, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, add


@pytest.fixture
def knowledge_base(knowledge_base: KnowledgeBase) -> KnowledgeBase:
    add(knowledge_base, "dome.md", DOME)
    add(knowledge_base, "bread.md", BREAD)
    knowledge_base.wait_for_index()
    knowledge_base.models.wait_for_model()
    return knowledge_base


def common_beginning(one: str, other: str) -> str:
    length = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]


def test_what_is_read_ahead_is_how_the_question_will_begin(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    knowledge_base.prepare("When does the second dome")
    (prompts,) = model.read
    knowledge_base.ask("When does the second dome open?")
    (asked,) = model.asked
    assert [message.role for message in prompts[0]] == [message.role for message in asked]
    assert prompts[0][0] == asked[0]
    for prompt in prompts:
        shared = common_beginning(prompt[-1].content, asked[-1].content)
        assert DOME in shared
        assert shared.endswith("Question: When does the second dome")
    assert len({prompt[-1].content for prompt in prompts}) == 2, "what follows the question is left"


def test_sources_do_not_change_their_places_while_the_question_is_finished(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    question = "How is the bread baked when the second dome opens"
    knowledge_base.ask(question)
    knowledge_base.prepare("How is the bread baked")
    knowledge_base.prepare("How is the bread baked when the sec")
    knowledge_base.ask(question)
    fresh, prepared = (messages[-1].content for messages in model.asked)
    assert fresh.index(DOME) < fresh.index(BREAD)
    for prompts in model.read:
        assert "Question: How is the bread baked" in common_beginning(prompts[0][-1].content, prepared)


def test_nothing_is_answered_and_no_trace_is_left(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0):
        knowledge_base.prepare("When does the second dome open?")
    assert model.asked == []
    assert not [record for record in caplog.records if "dome" in record.getMessage()]


def test_history_and_filters_go_along(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    knowledge_base.prepare("When does it open?", [Turn("Is there a dome?", "There are two.")])
    knowledge_base.prepare(
        "When does the second dome open?", options=AskOptions(filters=Filters(folders=("bread.md",)))
    )
    first, second = (prompts[0] for prompts in model.read)
    assert "There are two." in [message.content for message in first]
    assert BREAD in second[-1].content
    assert DOME not in second[-1].content


def test_bad_questions_are_refused(knowledge_base: KnowledgeBase) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        knowledge_base.prepare("  ")
    with pytest.raises(RequestTooLarge):
        knowledge_base.prepare("x" * 5000)


def test_it_can_be_turned_off(settings: Settings, model: FakeLanguageModel) -> None:
    off = settings.model_copy(update={"read_ahead": "off"})
    with open_fake_knowledge_base(off, model=model) as base:
        add(base, "dome.md", DOME)
        base.models.wait_for_model()
        base.prepare("When does the second dome open?")
    assert model.read == []


def test_it_waits_for_no_model(settings: Settings, model: FakeLanguageModel) -> None:
    with open_fake_knowledge_base(settings, model=model) as base:
        base.prepare("When does the second dome open?")
        add(base, "dome.md", DOME)
        base.prepare("When does the second dome open?")
    assert model.read == []


def test_engine_that_is_elsewhere_hears_nothing(settings: Settings) -> None:
    afar, small = FakeEngine(), FakeLanguageModel()
    both = settings.model_copy(update={"model": "openai:big@https://api.example.com/v1", "small_model": "near"})
    for beside, chosen in ((None, settings), (small, both)):
        with open_fake_knowledge_base(chosen, model=afar, small=beside) as base:
            add(base, "dome.md", DOME)
            base.models.start()
            base.models.wait_for_model()
            base.prepare("When does the second dome open?")
    assert afar.asked == []
