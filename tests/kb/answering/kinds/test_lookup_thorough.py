"""How much is done for a question, through the knowledge base."""

from collections.abc import Generator, Sequence

import pytest

from kb.errors import ModelBusy, ModelMissing
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import Answer, AnswerEvent, AskOptions, Done, Effort, PassagesFound, Step
from kb.values.chat import Generated, GenerationOptions, Heartbeat, Look, Message
from tests.fakes import CALIBRATION, FakeEngine, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, add

QUESTION = "When is the bread baked from flour and water?"
OVEN = "The oven is lit at four."
REPLY = "It is baked at four."


def asked(knowledge_base: KnowledgeBase, effort: Effort | None, question: str = QUESTION) -> list[AnswerEvent]:
    return list(knowledge_base.ask_stream(question, options=AskOptions(effort=effort, top_k=1, kind="lookup")))


def steps(events: Sequence[AnswerEvent]) -> list[str]:
    return [event.doing for event in events if isinstance(event, Step)]


def answer(events: Sequence[AnswerEvent]) -> Answer:
    assert isinstance(events[-1], Done)
    return events[-1].answer


def found(events: Sequence[AnswerEvent]) -> list[list[str]]:
    return [[each.source for each in event.passages] for event in events if isinstance(event, PassagesFound)]


def bakery(
    settings: Settings, model: FakeEngine, *, is_calibrated: bool = True, effort: Effort = "auto"
) -> KnowledgeBase:
    """Documents of which the nearest to the question does not answer it."""
    models = settings.home.with_name("models" if is_calibrated else "others")
    settings = settings.model_copy(update={"models": models, "min_evidence": 0.5, "effort": effort})
    knowledge_base = open_fake_knowledge_base(settings, model=model)
    if is_calibrated:
        knowledge_base.models.calibrations.keep(CALIBRATION)
    for name, text in (("bread.md", BREAD), ("oven.md", OVEN), ("dome.md", DOME)):
        add(knowledge_base, name, text)
    return knowledge_base


def baker(oven: float = 5.0) -> FakeLanguageModel:
    return FakeLanguageModel(REPLY, margins={BREAD: -4.0, OVEN: oven, DOME: -4.0})


@pytest.mark.parametrize(
    ("effort", "first", "last"),
    [("quick", "bread.md", "bread.md"), ("auto", "bread.md", "oven.md"), ("thorough", "oven.md", "oven.md")],
)
def test_effort_decides_what_is_found(settings: Settings, effort: Effort, first: str, last: str) -> None:
    with bakery(settings, baker()) as knowledge_base:
        events = asked(knowledge_base, effort)
    assert (found(events)[0], found(events)[-1]) == ([first], [last])
    assert bool(steps(events)) == (effort != "quick")
    assert answer(events).answerable == (effort != "quick")
    assert answer(events).answer.startswith(REPLY) == (effort != "quick")


@pytest.mark.parametrize("effort", ["auto", "quick"])
def test_effort_that_is_not_named_is_the_one_that_is_set(settings: Settings, effort: Effort) -> None:
    with bakery(settings, baker(), effort=effort) as knowledge_base:
        assert bool(steps(asked(knowledge_base, None))) == (effort == "auto")


def test_enough_evidence_is_not_added_to(settings: Settings) -> None:
    model = FakeLanguageModel(REPLY, margins={BREAD: 4.0})
    with bakery(settings, model) as knowledge_base:
        events = asked(knowledge_base, "auto")
    assert (steps(events), answer(events).answerable) == ([], True)


@pytest.mark.parametrize("oven", [-4.0, -0.5, 1.5])
def test_right_refusal_stays_one_after_all_was_read(settings: Settings, oven: float) -> None:
    """Of many passages one may look well by chance: that the question is near to all of them does not help it."""
    with bakery(settings, baker(oven)) as knowledge_base:
        events = asked(knowledge_base, "auto")
    assert steps(events).count("passage") >= 2
    assert answer(events).finish_reason == "no_evidence"
    assert found(events) == [["bread.md"]]


def test_nothing_is_looked_for_where_the_documents_are_about_something_else(settings: Settings) -> None:
    with bakery(settings, baker()) as knowledge_base:
        events = asked(knowledge_base, "auto", "Who founded Ulaanbaatar?")
    assert (steps(events), answer(events).finish_reason) == ([], "no_evidence")


def test_nothing_is_looked_for_by_itself_where_nobody_could_tell_that_it_is_found(settings: Settings) -> None:
    with bakery(settings, baker(), is_calibrated=False) as knowledge_base:
        assert not steps(asked(knowledge_base, "auto"))
    with bakery(settings, FakeEngine("oven"), is_calibrated=True) as knowledge_base:
        assert not steps(asked(knowledge_base, "auto"))


def test_model_that_fails_while_more_is_looked_for_leaves_a_refusal(settings: Settings) -> None:
    model = FakeLanguageModel(REPLY, margins={BREAD: -4.0}, fails=ModelBusy("others wait", "ask again"))
    with bakery(settings, model) as knowledge_base:
        events = asked(knowledge_base, "auto")
    assert (steps(events), answer(events).finish_reason) == (["words"], "no_evidence")


def test_question_that_is_declined_without_a_model_does_not_wait_for_one(settings: Settings) -> None:
    def load(name: str) -> None:
        if name == "answering":
            raise ModelMissing("there is no model", "fetch one")

    settings = settings.model_copy(update={"min_evidence": 0.9999})
    with open_fake_knowledge_base(settings, before_loading=load) as knowledge_base:
        add(knowledge_base, "bread.md", BREAD)
        assert answer(asked(knowledge_base, "auto")).finish_reason == "no_evidence"


class Queueing(FakeLanguageModel):
    """Has others come before a question that is in no hurry."""

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        if "no hurry" in looks[0].messages[-1].content:
            yield Heartbeat(place=1)
        yield from super().stream_after_looks(looks, messages, options)


def test_nothing_is_looked_for_by_itself_while_others_wait(settings: Settings) -> None:
    model = Queueing(REPLY, margins={BREAD: -4.0, OVEN: 5.0})
    with bakery(settings, model) as knowledge_base:
        patient = knowledge_base.ask_stream(f"There is no hurry. {QUESTION}", options=AskOptions(kind="lookup"))
        assert Heartbeat(place=1) in (next(patient) for _ in range(3))
        assert not steps(asked(knowledge_base, "auto"))
        patient.close()
        assert steps(asked(knowledge_base, "auto"))


def test_who_goes_away_stops_what_is_looked_for(settings: Settings) -> None:
    model = baker()
    with bakery(settings, model) as knowledge_base:
        events = knowledge_base.ask_stream(QUESTION, options=AskOptions(effort="auto", top_k=1, kind="lookup"))
        assert any(isinstance(event, Step) for event in events)
        next(events)
        events.close()
        assert model.finished[-1] == "cancelled"
