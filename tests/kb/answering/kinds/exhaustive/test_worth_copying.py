from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from kb.answering.engines.calibrations import Calibrations
from kb.answering.kinds.exhaustive.saying import Tally, tally_text
from kb.answering.kinds.exhaustive.worth_copying import BOUNDS, FirstLook, worth_copying
from kb.answering.sources.reading import Reader
from kb.judging.calibration import Calibration
from kb.settings import load
from kb.values.answers import AskOptions
from kb.values.passages import Passage
from tests.fakes import CALIBRATION, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.answering.kinds.document.document_harness import add
from tests.kb.answering.kinds.lookup_harness import passage

CODES, PARTS = passage("E17: the sensors disagree.", 1), passage("Brush roll PK3-4471.", 2)
QUESTION = "List all fault codes."
MODEL = FakeLanguageModel(margins={"E17": 2.0, "PK3": -2.0})
_T = TypeVar("_T")


def came_of(work: Generator[object, None, _T]) -> _T:
    try:
        while True:
            next(work)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def likely(near: Sequence[tuple[Passage, float]], calibration: Calibration | None = CALIBRATION) -> list[bool]:
    look = FirstLook(QUESTION, near, Reader(MODEL, calibration, BOUNDS))
    return worth_copying([came_of(look.likely(each)) for each in (CODES, PARTS)])


def test_passage_that_the_model_sees_none_in_is_not_worth_copying() -> None:
    assert likely([]) == [True, False]


def test_what_the_search_finds_near_counts_no_more_and_what_it_finds_far_counts_against() -> None:
    assert likely([(CODES, 0.99), (PARTS, 0.99)]) == [True, False]
    assert likely([(CODES, 0.002)]) == [False, False]


def test_what_was_not_found_is_as_far_as_the_farthest_that_was() -> None:
    assert likely([(PARTS, 0.002)]) == [False, False]


@pytest.mark.parametrize(
    ("likely_ones", "worth"),
    [
        ([0.22, 0.13, 0.1], [True, True, False]),
        ([0.99, 0.6, 0.4], [True, True, False]),
        ([0.04, 0.01], [False, False]),
        ([], []),
    ],
)
def test_each_passage_is_held_against_the_best_of_its_list(likely_ones: list[float], worth: list[bool]) -> None:
    assert worth_copying(likely_ones) == worth


def test_model_that_cannot_tell_copies_from_all() -> None:
    assert likely([(PARTS, 0.02)], None) == [True, True]


def test_nothing_is_copied_from_what_holds_none_and_that_is_told(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path / "home", models=tmp_path / "models", min_evidence=0.0)
    Calibrations(settings.models).keep(CALIBRATION)
    model = FakeLanguageModel("E17\nPK3-4471", margins={"“E17”": 3.0, "E17": 3.0, "PK3": -3.0})
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "one.md", "One", ("", "E17: the sensors of all fault codes disagree."))
        add(knowledge_base, "two.md", "Two", ("", "Brush roll PK3-4471."))
        answer = knowledge_base.ask(QUESTION, options=AskOptions(kind="exhaustive"))
    assert [answer.answer[each.answer_start : each.answer_end] for each in answer.citations] == ["E17"]
    assert "Read: 2 passages of 2 documents. Nothing was copied from 1 of the passages" in answer.answer
    copied_from = [messages[-1].content for messages in model.asked]
    assert not any("PK3" in text for text in copied_from)


@pytest.mark.parametrize(
    ("question", "told"),
    [("List all.", "Nothing was copied from 2 of the passages"), ("全部列出来。", "其中 2 段不太可能")],
)
def test_it_is_told_in_the_language_of_the_question(question: str, told: str) -> None:
    assert told in tally_text(question, 1, Tally(1, 3, skipped=2))
