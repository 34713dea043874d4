import logging

import pytest

from kb.errors import ModelError
from kb.search.reranking import NO_RERANKING, Reranking, rerank
from kb.values.documents import Chunk
from kb.values.passages import Hit, StoredChunk
from tests.fakes import FakeReranker

QUESTION = "when does the dome open"
TEXTS = ["bread", "the dome", "when does the dome open", "does the dome open", "open"]


def hit(number: int, text: str, context: str = "") -> Hit:
    chunk = Chunk(0, len(text), text, context=context)
    return Hit(StoredChunk(number, "d", number, "title", "d.md", chunk), 0.9 - number / 10, similarity=0.5)


def hits() -> list[Hit]:
    return [hit(number, text) for number, text in enumerate(TEXTS)]


def texts(found: list[Hit]) -> list[str]:
    return [one.chunk.chunk.text for one in found]


def test_hits_come_in_the_order_of_the_reranker() -> None:
    found = rerank(FakeReranker(), QUESTION, hits(), 5)
    assert texts(found) == ["when does the dome open", "does the dome open", "the dome", "open", "bread"]


def test_only_the_first_are_read_and_the_rest_stays_behind_them() -> None:
    reranker = FakeReranker()
    found = rerank(reranker, QUESTION, hits(), 3)
    assert reranker.read == TEXTS[:3]
    assert texts(found) == ["when does the dome open", "the dome", "bread", "does the dome open", "open"]


@pytest.mark.parametrize("depth", [3, 5])
def test_scores_still_fall_from_hit_to_hit_and_are_those_of_the_search(depth: int) -> None:
    found = rerank(FakeReranker(), QUESTION, hits(), depth)
    assert [one.score for one in found] == [one.score for one in hits()]
    assert {one.similarity for one in found} == {0.5}


def test_title_and_headings_are_read_with_the_text() -> None:
    reranker = FakeReranker()
    rerank(reranker, QUESTION, [hit(0, "nine", "Domes › Hours"), hit(1, "ten")], 2)
    assert reranker.read == ["Domes › Hours\nnine", "ten"]


def test_equal_scores_leave_the_order_as_it_was() -> None:
    same = [hit(number, "the dome", "") for number in range(4)]
    assert rerank(FakeReranker(), QUESTION, same, 4) == same


def test_reranker_that_fails_leaves_everything_as_it_was_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert rerank(FakeReranker(fails=ModelError("out of memory")), QUESTION, hits(), 5) == hits()
    assert "out of memory" in caplog.text
    assert "dome" not in caplog.text, "text of documents is never logged"


@pytest.mark.parametrize("count", [0, 1])
def test_where_there_is_nothing_to_order_nothing_is_read(count: int) -> None:
    reranker = FakeReranker()
    assert rerank(reranker, QUESTION, hits()[:count], 5) == hits()[:count]
    assert rerank(reranker, QUESTION, hits(), count) == hits()
    assert reranker.read == []


def test_reranker_that_is_not_there_yet_is_not_waited_for() -> None:
    there: list[FakeReranker] = []
    reranking = Reranking(5, lambda: there[0] if there else None)
    assert reranking.order(QUESTION, hits()) == hits()
    there.append(FakeReranker())
    assert texts(reranking.order(QUESTION, hits()))[0] == QUESTION
    assert NO_RERANKING.order(QUESTION, hits()) == hits()
