"""Where too little was found, more is looked for, once."""

from collections.abc import Generator, Sequence

import pytest

from kb.answering.sources.retrieval import RetrievalResult
from kb.values.answers import AnswerDelta, Done, PassagesFound, Step
from kb.values.chat import Heartbeat
from tests.fakes import FakeLanguageModel
from tests.kb.answering.kinds.lookup_harness import ANSWER, QUESTION, answer_of, ask, kinds, passage

OTHER = passage("The barn is red.", number=2)


class Further:
    """Looks for more, and notes with how much evidence it was asked to."""

    def __init__(self, is_more: bool) -> None:
        self.is_more = is_more
        self.evidence: list[Sequence[float]] = []

    def __call__(self, evidence: Sequence[float]) -> Generator[Step | Heartbeat, None, bool]:
        self.evidence.append(evidence)
        yield Step("words")
        return self.is_more


def test_what_is_found_the_second_time_takes_the_place_of_the_first() -> None:
    further = Further(is_more=True)
    found = RetrievalResult((passage(),), (0.9,))
    events = list(ask(FakeLanguageModel(ANSWER), [OTHER], evidence=[0.2], look_further=further, further=found))
    assert kinds(events)[:3] == [PassagesFound, Step, PassagesFound]
    assert answer_of(events).passages == (passage(),)
    assert answer_of(events).answer == ANSWER
    assert further.evidence == [(0.2,)]


@pytest.mark.parametrize("is_more", [True, False])
def test_question_is_declined_once_where_there_is_no_more_or_not_enough(is_more: bool) -> None:
    further = Further(is_more)
    events = list(ask(FakeLanguageModel(ANSWER), [OTHER], evidence=[0.2], look_further=further))
    assert answer_of(events).finish_reason == "no_evidence"
    assert sum(isinstance(event, PassagesFound) for event in events) == 1 + is_more
    assert sum(isinstance(event, AnswerDelta | Done) for event in events) == 2
    assert len(further.evidence) == 1


def test_what_the_model_does_not_find_in_the_passages_is_looked_for() -> None:
    further = Further(is_more=False)
    model = FakeLanguageModel(ANSWER, margins={QUESTION: -3.0})
    list(ask(model, evidence=[0.9], look_further=further, is_calibrated=True))
    ((evidence,),) = further.evidence
    assert evidence == pytest.approx(0.31, abs=0.01)


def test_nothing_more_is_looked_for_where_there_is_enough() -> None:
    further = Further(is_more=True)
    list(ask(FakeLanguageModel(ANSWER), evidence=[0.9], look_further=further))
    assert not further.evidence
