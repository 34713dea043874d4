from collections.abc import Mapping, Sequence

import pytest

from kb.answering.sources.retrieval import SubQuestion, SubQuestionSearch
from kb.judging.evidence import likelihood
from kb.values.passages import Passage, PassagePart

DOME = "The second dome opens at nine in the evening."
BARN = "The old barn was painted red last summer."
LONG = f"{DOME} {BARN}"


def passage(text: str, document_id: str = "d1", start: int = 0, similarity: float | None = 0.85) -> Passage:
    end = start + len(text)
    return Passage(1, document_id, "", "a.md", text, start, end, (PassagePart(start, end, 1, ()),), 0.9, similarity)


def searches(found: Mapping[str, Sequence[Passage]], *, is_calibrated: bool = True) -> SubQuestionSearch:
    parts = [SubQuestion(f"{query}?", query) for query in found]
    return SubQuestionSearch(parts, lambda query, top_k: found[query][:top_k], is_calibrated)


def test_best_of_each_part_comes_before_the_second_best_of_any() -> None:
    found = {"dome": [passage("a1", "a"), passage("a2", "b")], "barn": [passage("b1", "c"), passage("b2", "d")]}
    passages = searches(found).passages(3)
    assert [(one.number, one.text) for one in passages] == [(1, "a1"), (2, "b1"), (3, "a2")]


def test_part_that_finds_less_leaves_its_room_to_the_others() -> None:
    found = {"dome": [passage("a1", "a")], "barn": [passage("b1", "c"), passage("b2", "d"), passage("b3", "e")]}
    assert [one.text for one in searches(found).passages(4)] == ["a1", "b1", "b2", "b3"]


@pytest.mark.parametrize(
    ("start", "document_id", "is_inside"),
    [(0, "d1", True), (len(LONG) - len(DOME), "d1", True), (len(LONG) - len(DOME) + 1, "d1", False), (0, "d2", False)],
    ids=["at its beginning", "at its end", "reaches beyond", "another document"],
)
@pytest.mark.parametrize("is_longer_first", [True, False])
def test_passage_inside_another_is_not_shown_beside_it(
    start: int, document_id: str, is_inside: bool, is_longer_first: bool
) -> None:
    both = [passage(LONG), passage(DOME, document_id, start)]
    first, second = both if is_longer_first else reversed(both)
    shown = searches({"dome": [first], "barn": [second]}).passages(4)
    assert [one.text for one in shown] == ([LONG] if is_inside else [first.text, second.text])


def test_each_part_shows_something_even_where_fewer_passages_are_asked_for() -> None:
    found = {query: [passage(query, query), passage("more", f"{query} 2")] for query in ("dome", "barn", "hill")}
    assert [one.text for one in searches(found).passages(1)] == ["dome", "barn", "hill"]


def test_passage_that_stands_inside_a_longer_one_is_evidence_as_it_was_found() -> None:
    asked = searches({"dome": [passage(DOME)], "barn": [passage(LONG)]})
    assert [one.text for one in asked.passages(4)] == [LONG]
    assert asked.evidence(asked.passages(4))[0] == likelihood("dome", passage(DOME))


def test_evidence_of_a_part_is_that_of_its_best_passage() -> None:
    found = {"dome": [passage(BARN, "d1"), passage(DOME, "d2")], "barn": [passage(BARN, "d1")]}
    asked = searches(found)
    assert asked.evidence(asked.passages(4)) == (
        likelihood("dome", passage(DOME)),
        likelihood("barn", passage(BARN)),
    )


def test_evidence_is_only_what_is_shown() -> None:
    found = {"dome": [passage(BARN, "d1"), passage(DOME, "d2")], "barn": [passage(BARN, "d3")]}
    asked = searches(found)
    shown = [one for one in asked.passages(4) if one.document_id == "d1"]
    assert asked.evidence(shown) == (likelihood("dome", passage(BARN)), 0.0)


def test_passage_that_another_part_has_found_as_well_is_evidence_for_both() -> None:
    asked = searches({"dome": [passage(DOME)], "evening": [passage(DOME)]})
    first, second = asked.evidence(asked.passages(1))
    assert first == second > 0.0


def test_unknown_cosines_are_judged_by_the_words() -> None:
    asked = searches({"dome": [passage(DOME)]}, is_calibrated=False)
    assert asked.evidence(asked.passages(1)) == (likelihood("dome", passage(DOME), is_calibrated=False),)
    assert asked.evidence(asked.passages(1)) != (likelihood("dome", passage(DOME)),)


def test_search_that_finds_nothing_is_no_evidence() -> None:
    asked = searches({"dome": [], "barn": []})
    assert asked.passages(4) == ()
    assert asked.evidence(()) == (0.0, 0.0)


def test_last_search_counts() -> None:
    found = {"dome": [passage(DOME)]}
    asked = searches(found)
    asked.passages(1)
    found["dome"] = [passage(BARN, "d2")]
    assert [one.text for one in asked.passages(1)] == [BARN]
    assert asked.evidence([passage(DOME)]) == (0.0,)
