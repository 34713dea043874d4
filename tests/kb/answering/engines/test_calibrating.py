from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import pytest

from kb.answering.engines.calibrating import calibrate, labelled_for_fitting, look
from kb.judging.labelled import LabelledLook, shipped_looks
from tests.fakes import FakeEngine, FakeLanguageModel


def knowing(labelled: list[LabelledLook], knows: Callable[[LabelledLook], bool]) -> FakeLanguageModel:
    """Knows the labels of some looks."""
    asked = {each: _asked(each) for each in labelled}
    margins: Mapping[str, float] = {text: 3.0 if each.label else -3.0 for each, text in asked.items() if knows(each)}
    return FakeLanguageModel(margins=margins)


def _asked(each: LabelledLook) -> str:
    """The end of what is asked about it."""
    return f"{each.statement or each.question}\n"


def test_model_that_knows_is_a_judge_and_one_that_guesses_is_none() -> None:
    labelled = labelled_for_fitting(40)
    texts = Counter(map(_asked, labelled))
    labelled = [each for each in labelled if texts[_asked(each)] == 1]
    knows_answers = calibrate(knowing(labelled, lambda each: each.kind == "answer"), labelled)
    assert knows_answers.can_judge("answer")
    assert not knows_answers.can_judge("sentence")
    assert not knows_answers.can_judge("evidence")
    assert knows_answers.model == "fake, a fake"


def test_kind_without_both_labels_is_left_out() -> None:
    labelled = [each for each in labelled_for_fitting(20) if each.kind == "evidence" or each.label]
    assert set(calibrate(FakeLanguageModel(), labelled).looks) == {"evidence"}


def test_so_many_of_each_kind_are_asked_in_all_languages_and_none_that_is_held() -> None:
    labelled = labelled_for_fitting(100)
    assert Counter(each.kind for each in labelled) == {"answer": 100, "evidence": 100, "sentence": 100}
    assert {"en", "zh"} < {each.language for each in labelled}
    assert not any(each.is_held for each in labelled)
    assert labelled == labelled_for_fitting(100), "the same each time"
    for kind in ("answer", "evidence", "sentence"):
        labels = [each.label for each in labelled if each.kind == kind]
        assert 20 <= sum(labels) <= 80


def test_work_may_be_broken_off_between_two_looks() -> None:
    class Stop(Exception):
        pass

    def some() -> Iterator[LabelledLook]:
        yield labelled_for_fitting(1)[0]
        raise Stop

    with pytest.raises(Stop):
        calibrate(FakeLanguageModel(), some())


def test_model_without_probabilities_is_asked_for_a_word() -> None:
    says_yes = FakeEngine("Yes.")
    assert look(says_yes, next(each for each in shipped_looks() if each.language == "en")).margins == (1.0,)
    calibration = calibrate(says_yes, [each for each in labelled_for_fitting(20) if each.kind != "evidence"])
    assert not calibration.can_judge_statements, "it says so to everything"
