import pytest

from kb.search.fusion import DOCUMENT_WEIGHT, LEXICAL_WEIGHT, fuse


def best(scores: dict[int, float]) -> int:
    return max(scores, key=scores.__getitem__)


def test_words_add_their_share_to_the_cosine() -> None:
    assert fuse({1: 0.9, 2: 0.8}, {2: 0.6}, {}) == pytest.approx({1: 0.9, 2: 0.8 + 0.6 * LEXICAL_WEIGHT})


def test_chunk_without_a_cosine_counts_as_the_least_similar() -> None:
    assert fuse({1: 0.9, 2: 0.8}, {3: 0.4}, {}) == pytest.approx({1: 0.9, 2: 0.8, 3: 0.8 + 0.4 * LEXICAL_WEIGHT})


def test_words_alone_order_what_has_no_cosine_at_all() -> None:
    scores = fuse({}, {1: 0.2, 2: 0.7}, {})
    assert best(scores) == 2
    assert fuse({}, {}, {}) == {}


def test_right_words_bring_a_near_miss_of_the_vectors_to_the_top() -> None:
    assert best(fuse({1: 0.88, 2: 0.86}, {1: 0.05, 2: 0.5}, {})) == 2


def test_poor_words_do_not_push_the_right_chunk_out() -> None:
    """As where the query is in another language: the best of the lexical hits holds a chance word only."""
    assert best(fuse({1: 0.88, 2: 0.80, 3: 0.79}, {2: 0.06, 3: 0.06}, {})) == 1


def test_document_decides_between_chunks_that_are_alike() -> None:
    assert best(fuse({1: 0.9, 2: 0.9}, {1: 0.3, 2: 0.3}, {2: 0.2})) == 2
    assert fuse({1: 0.9}, {}, {1: 0.5, 7: 1.0}) == pytest.approx({1: 0.9 + 0.5 * DOCUMENT_WEIGHT})
