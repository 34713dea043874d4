from collections.abc import Generator

import pytest

from kb.errors import KBError, ModelBusy, ModelError, PromptTooLong
from kb.judging.calibration import Calibration
from kb.judging.looking import LookingJudge
from kb.values.chat import Heartbeat
from tests.fakes import CALIBRATION, FakeLanguageModel

TEXT = "The dome opens at nine."


def judged(
    model: FakeLanguageModel, statement: str, question: str = "", calibration: Calibration = CALIBRATION
) -> float | None:
    work: Generator[Heartbeat, None, float | None] = LookingJudge(model, calibration).judge([TEXT], statement, question)
    while True:
        try:
            assert isinstance(next(work), Heartbeat)
        except StopIteration as end:
            found: float | None = end.value
            return found


def test_probability_is_what_the_calibration_makes_of_what_the_model_shows() -> None:
    model = FakeLanguageModel(margins={"at nine": 3.0, "At six": -3.0})
    assert judged(model, "It opens at nine.") == pytest.approx(0.953, abs=0.001)
    assert judged(model, "At six", "When does it open?") == pytest.approx(0.953, abs=0.001), "the source is in it, too"
    assert judged(FakeLanguageModel(), "It opens at nine.") == 0.5


def test_of_what_a_model_cannot_judge_it_is_not_asked() -> None:
    only_answers = Calibration(CALIBRATION.model, {"answer": CALIBRATION.looks["answer"]})
    model = FakeLanguageModel(margins={"nine": 3.0})
    assert judged(model, "It opens at nine.", calibration=only_answers) is None
    assert judged(model, "At nine", "When does it open?", calibration=only_answers) is not None


@pytest.mark.parametrize("error", [ModelBusy("full", "wait"), PromptTooLong("long", "less")])
def test_who_has_no_time_or_no_room_does_not_judge(error: KBError, monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeLanguageModel()
    monkeypatch.setattr(model, "stream_after_looks", failing(error))
    assert judged(model, "It opens at nine.") is None


def test_model_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeLanguageModel()
    monkeypatch.setattr(model, "stream_after_looks", failing(ModelError("it broke", "ask again")))
    with pytest.raises(ModelError, match="it broke"):
        judged(model, "It opens at nine.")


def failing(error: KBError) -> object:
    def stream(*_: object) -> Generator[Heartbeat, None, None]:
        yield Heartbeat()
        raise error

    return stream
