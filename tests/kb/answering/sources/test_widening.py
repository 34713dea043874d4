from collections.abc import Generator, Sequence

import pytest

from kb.answering.sources import widening
from kb.answering.sources.widening import MOST_WORDINGS, WideSearch, fused, in_order, wordings_in
from kb.ports import LanguageModel
from kb.values.answers import Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage
from tests.fakes import FakeEngine, FakeLanguageModel
from tests.kb.answering.kinds.lookup_harness import passage

QUESTION = "How much was spent on research?"
FAR = passage("Research and development expense 7,709", number=3)
NEAR = passage("They spent much time on research.", number=1)
OTHER = passage("Research is important.", number=2)


def search(query: str, k: int) -> Sequence[Passage]:
    return [FAR, OTHER][:k] if query.startswith("R&D expense") else [NEAR, OTHER][:k]


def run(
    model: LanguageModel, top_k: int = 4, sees: Sequence[Passage] = (NEAR, OTHER, FAR)
) -> tuple[list[Step], list[str]]:
    """The steps, and the texts that are found."""
    steps, stream = [], WideSearch(search, model, sees.__contains__).passages(QUESTION, top_k)
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            assert [each.number for each in end.value] == list(range(1, len(end.value) + 1))
            return steps, [each.text for each in end.value]
        steps += [event] if isinstance(event, Step) else []


def test_words_of_the_model_find_what_those_of_the_question_do_not() -> None:
    steps, found = run(FakeEngine("1. R&D expense\n"))
    assert set(found) == {NEAR.text, OTHER.text, FAR.text}
    assert steps == [Step("words")]


def test_what_the_model_takes_for_the_answer_comes_first() -> None:
    model = FakeLanguageModel("- R&D expense", margins={FAR.text: 2.0, OTHER.text: 1.0})
    steps, found = run(model, top_k=2)
    assert found == [FAR.text, OTHER.text]
    assert [(step.doing, step.number, step.of) for step in steps] == [
        ("words", 1, 1),
        *(("passage", number, 3) for number in (1, 2, 3)),
    ]


def test_what_the_model_may_not_see_it_does_not_read() -> None:
    model = FakeLanguageModel("R&D expense", margins={FAR.text: 9.0, NEAR.text: -1.0})
    steps, found = run(model, sees=(NEAR, OTHER))
    assert len(steps) == 3
    assert found[-1] == FAR.text, "it keeps its place behind what was read"


def test_when_the_time_is_up_the_order_is_that_of_the_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widening, "SECONDS", 0.0)
    steps, found = run(FakeLanguageModel("R&D expense", margins={FAR.text: 2.0}))
    assert steps == [Step("words")]
    assert found[0] != FAR.text


def test_who_stops_it_stops_the_model() -> None:
    model = FakeLanguageModel("R&D expense")
    stream: Generator[Step | Heartbeat, None, tuple[Passage, ...]] = WideSearch(search, model).passages(QUESTION, 4)
    assert [next(stream), next(stream)] == [Step("words"), Heartbeat()]
    stream.close()
    assert model.finished == ["cancelled"]


def test_reply_is_read_line_by_line() -> None:
    reply = "1. Net sales\n- Research and development:\n\n* **Net sales**\n" + "a whole sentence " * 9
    assert wordings_in(reply) == ["Net sales", "Research and development"]
    assert wordings_in("1、研发费用\n2、营业成本") == ["研发费用", "营业成本"]
    assert wordings_in("10-K\n5G") == ["10-K", "5G"]
    assert len(wordings_in("\n".join(map(str, range(40))))) == MOST_WORDINGS


def test_lists_are_fused_by_rank_and_what_overlaps_is_one() -> None:
    assert fused([[NEAR, OTHER], [OTHER, FAR]]) == [OTHER, NEAR, FAR]
    assert fused([[NEAR], [passage(NEAR.text + " More.", number=1)]]) == [NEAR]
    assert fused([]) == []


def test_first_passage_gets_the_best_score_and_its_parts_go_with_it() -> None:
    first, second = in_order([FAR, NEAR])
    assert (first.text, first.score, second.score) == (FAR.text, NEAR.score, FAR.score)
    assert first.parts[0].score == pytest.approx(NEAR.score)
