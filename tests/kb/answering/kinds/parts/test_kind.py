"""Several parts and calculations, over a fake model that copies what it is told to."""

import datetime

import pytest

from kb.answering.engines.calibrations import Calibrations
from kb.answering.kinds.parts.calculation import NotComputed
from kb.answering.kinds.parts.operands import days_given
from kb.answering.kinds.parts.saying import not_computed
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import Answer, AnswerDelta, AskOptions, Done, PassagesFound, Step
from kb.values.documents import Chunk, Document
from tests.fakes import CALIBRATION, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, add, file_named

OFFER = "The roof costs 12.50 € in the offer. The gutters cost 9 € in it."
TOGETHER = "What do the roof and the gutters cost together?"  # labelled: what is meant is known


def events_of(knowledge_base: KnowledgeBase, question: str) -> list[object]:
    return list(knowledge_base.ask_stream(question, options=AskOptions(kind="parts")))


def answer_of(events: list[object]) -> Answer:
    done = events[-1]
    assert isinstance(done, Done)
    return done.answer


@pytest.fixture
def copying(settings: Settings) -> FakeLanguageModel:
    return FakeLanguageModel("roof: 12.50 €\ngutters: 9 €\nboth: 12.50 + 9 = 22 €")


def test_sum_is_computed_from_cited_numbers_and_not_by_the_model(
    settings: Settings, copying: FakeLanguageModel
) -> None:
    with open_fake_knowledge_base(settings, model=copying) as knowledge_base:
        add(knowledge_base, "offer.md", OFFER)
        events = events_of(knowledge_base, TOGETHER)
    answer = answer_of(events)
    assert answer.answer == "- roof: 12.50 €\n- gutters: 9 €\n\n**Together: 12.50 € + 9 € = 21.50 €**"
    assert (answer.kind, answer.answerable, answer.finish_reason) == ("parts", True, "stop")
    cited = [answer.answer[each.answer_start : each.answer_end] for each in answer.citations]
    assert cited == ["roof: 12.50 €", "gutters: 9 €"]
    assert all(each.quote in OFFER for each in answer.citations)
    assert [event for event in events if isinstance(event, Step)] == [Step("numbers")]
    assert "".join(event.text for event in events if isinstance(event, AnswerDelta)) == answer.answer


@pytest.mark.parametrize(
    ("copied", "why"),
    [
        ("roof: 12.50 €", "only this was found: roof: 12.50 €"),
        ("roof: 12.50 €\ngutters: 9 kg", "only this was found: roof"),
        ("I do not know.", "were not found"),
    ],
)
def test_what_cannot_be_computed_is_looked_up_and_that_is_said(settings: Settings, copied: str, why: str) -> None:
    with open_fake_knowledge_base(settings, model=FakeLanguageModel(copied)) as knowledge_base:
        add(knowledge_base, "offer.md", OFFER)
        events = events_of(knowledge_base, TOGETHER)
    answer = answer_of(events)
    assert (answer.kind, answer.answer.startswith(copied)) == ("lookup", True)
    assert why in answer.answer
    assert sum(isinstance(event, PassagesFound) for event in events) == 1


def test_numbers_that_the_answer_of_the_lookup_tells_are_computed_with(settings: Settings) -> None:
    told = "We add these:\n\n1. The roof costs 12.50 € in the offer.\n2. The gutters cost 9 € in it.\n\nThat is 22 €."
    model = FakeLanguageModel(told, replies={"Copy the numbers": "I do not know."})
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "offer.md", OFFER)
        answer = answer_of(events_of(knowledge_base, TOGETHER))
    result = "**Together: 12.50 € + 9 € = 21.50 €**"
    assert answer.answer == f"- The roof costs 12.50 € in the offer.\n- The gutters cost 9 € in it.\n\n{result}"
    assert (answer.kind, answer.finish_reason) == ("parts", "stop")
    assert all(each.verified for each in answer.citations)


MEETING = "At the meeting of the roof, tiles were chosen. Days between that and the next, of 8 April 2025, are many."


def test_day_of_a_document_is_computed_with_and_that_of_the_question(settings: Settings) -> None:
    model = FakeLanguageModel("days between the meeting of the roof: 8 April 2025\nmeeting of the roof: 2025-03-11")
    question = "How many days lie between the meeting of the roof and 8 April 2025?"
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        document = Document("Meeting of the roof", "text/markdown", MEETING, (), date=datetime.date(2025, 3, 11))
        knowledge_base.replace(file_named("meeting.md"), document, [Chunk(0, len(MEETING), MEETING, tokens=9)])
        answer = answer_of(events_of(knowledge_base, question))
    assert answer.answer == "- meeting of the roof: 2025-03-11\n\n**Days between: 2025-04-08 − 2025-03-11 = 28**"
    assert "Meeting of the roof, 2025-03-11" in model.asked[-1][-1].content
    assert [(each.title, each.verified) for each in answer.citations] == [("Meeting of the roof", False)]


def test_of_the_question_only_its_day_is_told_where_the_other_is_missing() -> None:
    question = "How many days lie between the meeting of the roof and 8 April 2025?"
    told = not_computed(NotComputed("missing", tuple(days_given(question))), question)
    assert told.endswith("only this was found: 2025-04-08.")


def test_each_part_is_asked_with_a_prompt_of_its_own(settings: Settings) -> None:
    model = FakeLanguageModel("It opens at nine in the evening.")
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        add(knowledge_base, "bread.md", BREAD)
        events = events_of(knowledge_base, "When does the second dome open? How long is the bread baked?")
    steps = [event for event in events if isinstance(event, Step)]
    assert [(step.doing, step.number, step.of) for step in steps] == [("part", 1, 2), ("part", 2, 2)]
    assert [step.about for step in steps] == ["When does the second dome open?", "How long is the bread baked?"]
    asked = [messages[-1].content for messages in model.asked]
    assert len(asked) == 2
    assert "How long is the bread baked?" not in asked[0]
    assert "When does the second dome open?" not in asked[1]
    answer = answer_of(events)
    assert answer.answer == "\n\n".join(["It opens at nine in the evening."] * 2)
    assert {passage.source for passage in answer.passages} == {"dome.md", "bread.md"}
    assert {answer.answer[each.answer_start : each.answer_end] for each in answer.citations} == {
        "It opens at nine in the evening."
    }
    assert max(each.answer_end for each in answer.citations) == len(answer.answer)


def test_disagreement_about_a_part_is_one_of_the_whole_answer(settings: Settings) -> None:
    Calibrations(settings.models).keep(CALIBRATION)
    old, new = "The copper cable lies 0.7 m deep.", "The copper cable of the mast lies 0.9 m deep."
    doubt = {"0.9 m deep.\nStatement: The copper cable lies 0.7": -3.0, "Statement: The copper cable lies 0.9": 3.0}
    model = FakeLanguageModel(old, margins={"the answer to this question": 3.0, **doubt})
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "old.md", old)
        add(knowledge_base, "new.md", new)
        answer = answer_of(events_of(knowledge_base, "How deep does the copper cable lie? Where is the copper cable?"))
    assert {(each.value, each.source) for each in answer.disagreement} == {("0.7", "old.md"), ("0.9", "new.md")}


def test_part_without_a_source_is_named(settings: Settings) -> None:
    strict = settings.model_copy(update={"min_evidence": 0.5})
    with open_fake_knowledge_base(strict, model=FakeLanguageModel("It opens at nine.")) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        question = "When does the second dome open in the evening? Who won the chess cup?"
        answer = answer_of(events_of(knowledge_base, question))
    assert answer.unanswered == ("Who won the chess cup?",)
    assert answer.answer.startswith("It opens at nine.\n\nThe documents hold no source for: “Who won")


def test_comparison_is_answered_from_what_is_found_for_each_thing(settings: Settings) -> None:
    model = FakeLanguageModel("The second dome opens at nine in the evening.")
    with open_fake_knowledge_base(settings.model_copy(update={"min_evidence": 0.0}), model=model) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        add(knowledge_base, "bread.md", BREAD)
        question = "What is the difference between the second dome that opens and bread from flour?"
        answer = answer_of(events_of(knowledge_base, question))
    assert (answer.kind, answer.answerable) == ("parts", True)
    (asked,) = (messages[-1].content for messages in model.asked)
    assert DOME in asked
    assert BREAD in asked
