import pytest

from server.measure.eval.metrics import mean_reciprocal_rank, ranking_metrics, recall

RANKS = [1, 2, 5, 6, 10, 11, None, 1]


@pytest.mark.parametrize(("k", "expected"), [(1, 2 / 8), (2, 3 / 8), (5, 4 / 8), (10, 6 / 8), (20, 7 / 8)])
def test_recall_is_the_share_of_ranks_up_to_k(k: int, expected: float) -> None:
    assert recall(RANKS, k) == expected


def test_mean_reciprocal_rank_counts_what_is_not_found_as_nothing() -> None:
    assert mean_reciprocal_rank([1, 2, 4, None]) == (1 + 0.5 + 0.25) / 4


def test_measures_of_a_ranking_are_named_by_what_is_ranked() -> None:
    assert ranking_metrics([1, None]) == {"recall@1": 0.5, "recall@5": 0.5, "recall@10": 0.5, "mrr": 0.5}
    assert list(ranking_metrics([1], "page")) == ["page recall@1", "page recall@5", "page recall@10", "page mrr"]


def test_of_no_questions_nothing_is_measured() -> None:
    assert ranking_metrics([]) == {}
