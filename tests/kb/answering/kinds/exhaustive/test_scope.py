from dataclasses import replace

import pytest

from kb.answering.kinds.exhaustive.saying import Tally, tally_text
from kb.answering.kinds.exhaustive.scope import NEARNESS, Scope, nearest
from kb.values.filters import EVERYTHING
from kb.values.passages import Passage
from tests.kb.answering.kinds.lookup_harness import passage

SCOPE = Scope(("flood", "garden", "choir"), EVERYTHING)


def found(document_id: str, score: float) -> Passage:
    return replace(passage("text", 1), document_id=document_id, score=score)


def test_documents_that_are_farther_than_the_nearest_are_of_something_else() -> None:
    near = [found("flood", 0.93), found("garden", 0.93 - 2 * NEARNESS), found("flood", 0.8)]
    assert nearest(SCOPE, near).document_ids == ("flood",)


def test_documents_that_are_about_as_near_are_all_read() -> None:
    near = [found("garden", 0.93), found("flood", 0.93 - NEARNESS / 2), found("flood", 0.8)]
    assert nearest(SCOPE, near).document_ids == ("flood", "garden"), "in the order of the scope"


@pytest.mark.parametrize("near", [[], [found("elsewhere", 0.9)]])
def test_where_nothing_of_the_scope_is_near_all_is_read(near: list[Passage]) -> None:
    assert nearest(SCOPE, near) is SCOPE


@pytest.mark.parametrize(
    ("question", "told"), [("List all.", "Not read: 2 documents"), ("全部列出来。", "未读：离问题较远的 2 份文档。")]
)
def test_that_documents_are_far_is_told(question: str, told: str) -> None:
    text = tally_text(question, 1, Tally(1, 3, far=2))
    assert told in text
    assert not any(all_of_it in text for all_of_it in ("Nothing was left out", "没有遗漏"))
