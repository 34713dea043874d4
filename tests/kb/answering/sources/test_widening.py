from collections.abc import Generator, Sequence

import pytest

from kb.answering.sources.reading import Bounds, Reader
from kb.answering.sources.retrieval import Search
from kb.answering.sources.widening import THOROUGH, WideSearch, fused, in_order
from kb.ports import LanguageModel
from kb.values.answers import Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage
from tests.fakes import CALIBRATION, FakeEngine, FakeLanguageModel
from tests.kb.answering.kinds.lookup_harness import passage

QUESTION = "How much was spent on research?"
FAR = passage("Research and development expense 7,709", number=3)
NEAR = passage("They spent much time on research.", number=1)
OTHER = passage("Research is important.", number=2)
TABLE = passage("Table 6: class B 29 N m", number=4)


def search(query: str, k: int) -> Sequence[Passage]:
    return [FAR, OTHER][:k] if query.startswith("R&D expense") else [NEAR, OTHER][:k]


def wide_search(
    model: LanguageModel,
    finds: Search = search,
    sees: Sequence[Passage] = (NEAR, OTHER, FAR, TABLE),
    *,
    bounds: Bounds = THOROUGH,
    is_calibrated: bool = False,
    prior: float = 0.5,
) -> WideSearch:
    reader = Reader(model, CALIBRATION if is_calibrated else None, bounds, sees.__contains__)
    return WideSearch(finds, reader, lambda query, passages: prior)


def run(wide: WideSearch, top_k: int = 4) -> tuple[list[tuple[str, int, int]], list[str]]:
    """The steps, and the texts that are found."""
    steps, stream = list[tuple[str, int, int]](), wide.passages(QUESTION, top_k)
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            assert [each.number for each in end.value] == list(range(1, len(end.value) + 1))
            return steps, [each.text for each in end.value]
        steps += [(event.doing, event.number, event.of)] if isinstance(event, Step) else []


FIRST_ROUND = [("words", 1, 1), *(("passage", number, 3) for number in (1, 2, 3))]


def test_words_of_the_model_find_what_those_of_the_question_do_not() -> None:
    steps, found = run(wide_search(FakeEngine("1. R&D expense\n")))
    assert set(found) == {NEAR.text, OTHER.text, FAR.text}
    assert steps == [("words", 1, 1)]


def test_what_the_model_takes_for_the_answer_comes_first() -> None:
    model = FakeLanguageModel("- R&D expense", margins={FAR.text: 2.0, OTHER.text: 1.0})
    steps, found = run(wide_search(model), top_k=2)
    assert found == [FAR.text, OTHER.text]
    assert steps[:4] == FIRST_ROUND


def test_what_the_model_does_not_take_for_the_answer_keeps_its_place() -> None:
    """It is wrong about some: a page that the searches have first is not put behind all others for that."""
    _, as_searched = run(wide_search(FakeEngine("R&D expense")))
    model = FakeLanguageModel("R&D expense", margins={FAR.text: -1.0, OTHER.text: -3.0, NEAR.text: -2.0})
    _, found = run(wide_search(model))
    assert found == as_searched


def test_what_the_model_may_not_see_it_does_not_read() -> None:
    model = FakeLanguageModel("R&D expense", margins={FAR.text: 9.0, NEAR.text: -1.0})
    steps, found = run(wide_search(model, sees=(NEAR, OTHER)))
    assert ("passage", 2, 2) in steps
    assert found[-1] == FAR.text, "it keeps its place behind what was read"
    assert not any(FAR.text in message.content for messages in model.asked for message in messages)


def test_certainty_ends_the_reading() -> None:
    margins = {OTHER.text: -2.0, NEAR.text: 6.0}
    wide = wide_search(FakeLanguageModel("R&D expense", margins=margins), is_calibrated=True)
    steps, found = run(wide)
    assert steps == FIRST_ROUND[:3]
    assert found[0] == NEAR.text
    assert wide.evidence == pytest.approx(0.9975, abs=1e-3)


def test_margin_of_an_uncalibrated_model_ends_nothing() -> None:
    wide = wide_search(FakeLanguageModel("R&D expense", margins={NEAR.text: 9.0}))
    steps, _ = run(wide)
    assert steps[:4] == FIRST_ROUND
    assert wide.evidence == 0.0


def test_second_round_reads_what_the_first_has_led_to_together_with_it() -> None:
    def leading_search(query: str, k: int) -> Sequence[Passage]:
        return [TABLE] if query.startswith(NEAR.text) else [NEAR, OTHER][:k]

    model = FakeLanguageModel("nothing", margins={TABLE.text: 3.0, NEAR.text: -0.5, OTHER.text: -1.0})
    wide = wide_search(model, leading_search, is_calibrated=True)
    steps, found = run(wide, top_k=2)
    assert steps == [
        ("words", 1, 1),
        ("passage", 1, 2),
        ("passage", 2, 2),
        ("leads", 1, 1),
        ("passage", 1, 2),
        ("passage", 2, 2),
    ]
    assert found == [NEAR.text, TABLE.text]
    assert wide.evidence == pytest.approx(0.9526, abs=1e-3)


def test_second_round_follows_what_the_model_says() -> None:
    asked_for = list[str]()

    def noting_search(query: str, k: int) -> Sequence[Passage]:
        asked_for.append(query)
        return [NEAR, OTHER][:k]

    run(wide_search(FakeLanguageModel("Table 6"), noting_search))
    assert asked_for.count(f"Table 6. {QUESTION}") == 2, "once as words, once as a lead"


def test_when_the_time_is_up_the_order_is_that_of_the_searches() -> None:
    model = FakeLanguageModel("R&D expense", margins={FAR.text: 2.0})
    steps, found = run(wide_search(model, bounds=Bounds(0.0, 6000, 10, 4)))
    assert steps == [("words", 1, 1)]
    assert found[0] != FAR.text


@pytest.mark.parametrize(("bounds", "read"), [(Bounds(60.0, 6000, 2, 0), 2), (Bounds(60.0, 200, 10, 4), 1)])
def test_no_more_is_read_than_may_be(bounds: Bounds, read: int) -> None:
    steps, _ = run(wide_search(FakeLanguageModel("R&D expense"), bounds=bounds))
    assert sum(doing == "passage" for doing, _, _ in steps) == read


def test_who_stops_it_stops_the_model() -> None:
    model = FakeLanguageModel("R&D expense")
    stream: Generator[Step | Heartbeat, None, tuple[Passage, ...]] = wide_search(model).passages(QUESTION, 4)
    assert [next(stream), next(stream)] == [Step("words"), Heartbeat()]
    stream.close()
    assert model.finished == ["cancelled"]


def test_lists_are_fused_by_rank_and_what_overlaps_is_one() -> None:
    assert fused([[NEAR, OTHER], [OTHER, FAR]]) == [OTHER, NEAR, FAR]
    assert fused([[NEAR], [passage(NEAR.text + " More.", number=1)]]) == [NEAR]
    assert fused([]) == []


def test_first_passage_gets_the_best_score_and_its_parts_go_with_it() -> None:
    first, second = in_order([FAR, NEAR])
    assert (first.text, first.score, second.score) == (FAR.text, NEAR.score, FAR.score)
    assert first.parts[0].score == pytest.approx(NEAR.score)
