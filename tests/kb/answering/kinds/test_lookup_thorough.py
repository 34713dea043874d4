"""A question with `effort="thorough"`, through the knowledge base."""

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import AnswerEvent, AskOptions, Done, Effort, PassagesFound, Step
from tests.fakes import FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, add

QUESTION = "When does the dome open?"


def events_of(knowledge_base: KnowledgeBase, effort: Effort) -> list[AnswerEvent]:
    return list(knowledge_base.ask_stream(QUESTION, options=AskOptions(effort=effort)))


@pytest.mark.parametrize(("effort", "steps"), [("quick", 0), ("thorough", 3)])
def test_thorough_question_tells_its_steps_and_is_answered_as_any_other(
    settings: Settings, effort: Effort, steps: int
) -> None:
    with open_fake_knowledge_base(settings, model=FakeLanguageModel("The dome opens at nine.")) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        add(knowledge_base, "bread.md", BREAD)
        events = events_of(knowledge_base, effort)
    told = [event for event in events if isinstance(event, Step)]
    assert len(told) == steps
    assert [step.doing for step in told[:1]] == ["words"] * bool(steps)
    assert sum(isinstance(event, PassagesFound) for event in events) == 1
    done = events[-1]
    assert isinstance(done, Done)
    assert done.answer.answerable


def test_what_the_model_reads_decides_which_passage_is_first(settings: Settings) -> None:
    model = FakeLanguageModel("The dome opens at nine.", margins={BREAD: 5.0})
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        add(knowledge_base, "bread.md", BREAD)
        found = {
            effort: next(each.passages for each in events_of(knowledge_base, effort) if isinstance(each, PassagesFound))
            for effort in ("quick", "thorough")
        }
    assert [each.source for each in found["quick"]] == ["dome.md", "bread.md"]
    assert [each.source for each in found["thorough"]] == ["bread.md", "dome.md"]
