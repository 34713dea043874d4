"""A lookup that has found only some of what was asked, over a fake model."""

from collections.abc import Generator, Mapping, Sequence

import pytest

from kb.answering.kinds.parts.going_on import left_open
from kb.answering.understanding.decide import Decision, QuestionClassifier, QuestionWeights
from kb.answering.understanding.features import PLACES
from kb.judging.weights import Weights
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import Answer, AnswerDelta, AskOptions, Citation, CitationFound, Done, PassagesFound, Step
from kb.values.chat import Generated, GenerationOptions, Message
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import add

BOAT, HOUSE = "The boat is painted blue.", "The house is painted green."
QUESTION = "Which colour have the boat and the house?"
ABOUT_HOUSE = "the house: Which colour"


class Replying(FakeLanguageModel):
    """Replies by a text that it is asked."""

    def __init__(self, replies: Mapping[str, str]) -> None:
        super().__init__()
        self._replies = replies

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        self._answer = next(reply for text, reply in self._replies.items() if text in messages[-1].content)
        return super().stream(messages, options)


def taken_for_a_lookup(odds_of_parts: float) -> QuestionClassifier:
    factors = (0.0,) * (FakeEmbedder().dimension + PLACES)
    senses = {Decision(): 0.0, Decision(kind="parts"): odds_of_parts}
    weights = tuple((sense, Weights(factors, constant)) for sense, constant in senses.items())
    never = Weights(factors, -9.0)
    return QuestionClassifier(QuestionWeights(never, never, weights))


def events_of(settings: Settings, model: FakeLanguageModel, odds_of_parts: float = 0.0) -> list[object]:
    lenient = settings.model_copy(update={"min_evidence": 0.0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.harness.fitted_once", lambda *_: taken_for_a_lookup(odds_of_parts))
        with open_fake_knowledge_base(lenient, model=model) as knowledge_base:
            fill(knowledge_base)
            return list(knowledge_base.ask_stream(QUESTION, options=AskOptions()))


def fill(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "boat.md", BOAT)
    add(knowledge_base, "house.md", HOUSE)


def answer_of(events: list[object]) -> Answer:
    done = events[-1]
    assert isinstance(done, Done)
    return done.answer


def test_thing_that_an_answer_leaves_open_is_looked_up_by_itself(settings: Settings) -> None:
    events = events_of(settings, Replying({ABOUT_HOUSE: HOUSE, "": BOAT}))
    answer = answer_of(events)
    assert (answer.answer, answer.kind) == (f"{BOAT}\n\n{HOUSE}", "parts")
    assert [answer.answer[each.answer_start : each.answer_end] for each in answer.citations] == [BOAT, HOUSE]
    assert [each.number for each in answer.citations] == [1, 2]
    assert answer.citations == tuple(event.citation for event in events if isinstance(event, CitationFound))
    assert "".join(event.text for event in events if isinstance(event, AnswerDelta)) == answer.answer
    assert [event for event in events if isinstance(event, Step)] == [Step("part", 1, 1, "the house")]
    assert sum(isinstance(event, PassagesFound) for event in events) == 1
    assert [each.number for each in answer.passages] == [1, 2]


def test_what_is_said_of_another_thing_again_is_left_out(settings: Settings) -> None:
    answer = answer_of(events_of(settings, Replying({"": BOAT})))
    assert (answer.answer, answer.kind) == (BOAT, "lookup")


def test_answer_that_says_something_of_each_is_whole(settings: Settings) -> None:
    model = Replying({"": f"{BOAT} {HOUSE}"})
    assert answer_of(events_of(settings, model)).kind == "lookup"
    assert len(model.asked) == 1


def test_where_it_is_sure_that_one_thing_is_asked_nothing_is_looked_up(settings: Settings) -> None:
    model = Replying({"": BOAT})
    assert answer_of(events_of(settings, model, odds_of_parts=-9.0)).answer == BOAT
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("question", "text", "left"),
    [
        (QUESTION, BOAT, ("the house",)),
        ("船和房子是什么颜色？", "船是蓝色的。", ("房子是什么颜色",)),
        ("船和房子是什么颜色？", "房子是绿色的。", ("船",)),
        ("船和房子是什么颜色？", "船是蓝的，房子是绿的。", ()),
        ("船和房子是什么颜色？", "It is painted blue.", ()),
        ("What colour is the boat?", BOAT, ()),
    ],
)
def test_a_thing_is_open_where_others_are_told_of_and_it_is_not(
    question: str, text: str, left: tuple[str, ...]
) -> None:
    assert left_open(question, Answer(text, answerable=True)) == left
    assert left_open(question, Answer(text)) == ()


def test_what_is_cited_tells_of_a_thing_too() -> None:
    quote = Citation(1, "d", "t", "s", None, "", "boat and house", 0, 14, 0, 4, verified=True, score=1.0)
    assert left_open(QUESTION, Answer(BOAT, citations=(quote,), answerable=True)) == ()
