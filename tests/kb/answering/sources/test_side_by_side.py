"""Things that a question sets side by side."""

from collections.abc import Sequence

import pytest

from kb.answering.sources.side_by_side import search_for_each, things_in
from kb.values.passages import Passage
from tests.kb.answering.kinds.lookup_harness import passage


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("Which is cheaper, Alba or Norton?", ("Which is cheaper", "Alba", "Norton")),
        ("How much older is Ingrid than her brother?", ("How much older is Ingrid", "her brother")),
        ("阿尔巴和诺顿哪个便宜？", ("阿尔巴", "诺顿哪个便宜")),
        ("北塔比南塔高多少？", ("北塔", "南塔高多少")),
        ("Was ist billiger, Alba oder Norton?", ("Was ist billiger", "Alba", "Norton")),
        ("アルバとノートン、どちらが安いですか。", ("アルバ", "ノートン", "どちらが安いですか")),
    ],
)
def test_question_is_cut_where_it_joins_what_it_names(question: str, things: tuple[str, ...]) -> None:
    assert things_in(question) == things


@pytest.mark.parametrize("question", ["What does the roof cost?", "What is “bread and wine” about?", "有什么不同？"])
def test_question_that_joins_nothing_names_no_things(question: str) -> None:
    assert things_in(question) == ()


def test_what_is_found_for_each_thing_takes_turns_and_keeps_its_turn_in_the_prompt() -> None:
    about = {name: passage(f"{name} is here.", n) for n, name in enumerate(("Alba", "Norton"), start=1)}

    def search(query: str, top_k: int) -> Sequence[Passage]:
        return [about["Norton"]] if query.startswith("Norton") else [about["Alba"]]

    found = search_for_each(("Alba", "Norton"), search)("Which is cheaper?", 2)
    assert [each.text for each in found] == ["Alba is here.", "Norton is here."]
    assert [each.number for each in found] == [1, 2]
    assert search_for_each((), search) is search
