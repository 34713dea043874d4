"""The questions of a set are asked as the settings say."""

from collections.abc import Sequence

import pytest

from kb.settings import Settings
from kb.values.answers import Effort
from kb.values.passages import Passage
from server.measure.eval.measuring import Case, Ranks, measure
from server.measure.eval.questions import Question
from tests.fakes import FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, add


@pytest.mark.parametrize(("effort", "rank"), [("quick", 2), ("auto", 2), ("thorough", 1)])
def test_what_is_ranked_was_found_as_thoroughly_as_is_set(settings: Settings, effort: Effort, rank: int) -> None:
    def rank_of_bread(passages: Sequence[Passage]) -> Ranks:
        sources = [passage.source for passage in passages]
        return {"file": sources.index("bread.md") + 1 if sources else None}

    settings = settings.model_copy(update={"effort": effort})
    model = FakeLanguageModel("bread", margins={BREAD: 5.0})
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        add(knowledge_base, "bread.md", BREAD)
        case = Case(Question("1", "When does the dome open?", ("at nine",)), rank_of_bread, lambda _: True)
        (outcome,) = measure(knowledge_base, [case], answers=False).outcomes
    assert outcome.ranks == {"file": rank}
