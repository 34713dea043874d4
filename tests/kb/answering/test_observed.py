from collections.abc import Generator

import pytest

from kb.answering.observed import observed
from kb.errors import ModelBusy
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, FinishReason, PassagesFound, Timings
from kb.values.chat import Heartbeat
from kb.values.happenings import Happening, Outcome, QuestionEnded


def ended(*events: AnswerEvent | Exception, read: int | None = None) -> QuestionEnded:
    """What is told of a question with these events, of which so many are read; None: all."""

    def happen() -> Generator[AnswerEvent, None, None]:
        for event in events:
            if isinstance(event, Exception):
                raise event
            yield event

    told: list[Happening] = []
    watched = observed(happen(), "auto", told.append)
    try:
        for count, _ in enumerate(watched, start=1):
            if count == read:
                break
    finally:
        watched.close()
    (happening,) = told
    assert isinstance(happening, QuestionEnded)
    return happening


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("stop", "answered"), ("length", "answered"), ("no_evidence", "declined"), ("unsupported", "unsupported")],
)
def test_how_it_went_is_told_by_how_it_ended(reason: FinishReason, outcome: Outcome) -> None:
    timings = Timings(prompt_tokens=7, answer_tokens=2)
    answer = Answer(finish_reason=reason, model="m", kind="document", timings=timings)
    told = ended(PassagesFound(()), AnswerDelta("a"), Done(answer))
    assert (told.outcome, told.model, told.kind, told.timings) == (outcome, "m", "document", timings)
    assert told.first_seconds is not None
    assert 0 <= told.first_seconds <= told.seconds


def test_who_goes_before_the_end_has_left() -> None:
    told = ended(PassagesFound(()), AnswerDelta("a"), Done(Answer()), read=1)
    assert (told.outcome, told.first_seconds) == ("left", None)


def test_failure_is_told_by_its_code_and_goes_on() -> None:
    told: list[Happening] = []

    def fail() -> Generator[AnswerEvent, None, None]:
        yield Heartbeat()
        raise ModelBusy("full", "later")

    with pytest.raises(ModelBusy):
        list(observed(fail(), "off", told.append))
    assert [(each.outcome, each.error) for each in told if isinstance(each, QuestionEnded)] == [("failed", "busy")]


def test_time_in_the_queue_is_that_behind_others() -> None:
    assert ended(Heartbeat(), Done(Answer())).queue_seconds == 0
    told = ended(Heartbeat(2), Heartbeat(1), Heartbeat(0), Done(Answer()))
    assert 0 < told.queue_seconds <= told.seconds
