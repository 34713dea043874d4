import pytest

from kb.answering.kinds.exhaustive.belonging import least_margin


@pytest.mark.parametrize(
    ("margins", "belong"),
    [
        ([2.5, 0.1, 2.0, 0.2], [2.5, 2.0]),
        ([1.1, -0.1, 0.2], [1.1]),
        ([0.5, 0.6, 0.8], [0.5, 0.6, 0.8]),
        ([3.0, 1.9, 1.2], [3.0, 1.9, 1.2]),
        ([1.0, -1.0], [1.0]),
        ([0.3], [0.3]),
        ([], []),
    ],
)
def test_widest_gap_parts_those_that_belong_from_the_others(margins: list[float], belong: list[float]) -> None:
    assert [margin for margin in margins if margin >= least_margin(margins)] == belong


@pytest.mark.parametrize(
    ("margins", "others", "belong"),
    [
        ([2.9, 2.1, 1.1], [1.9, 1.8, 1.3, 0.6], [2.9, 2.1]),
        ([2.3, 1.5, 0.1], [1.6, 1.1, 0.2], [2.3, 1.5]),
        ([2.8, 1.7], [0.4, -0.2, -0.8], [2.8, 1.7]),
        ([0.2, 0.1], [1.0, 1.2, 0.9], []),
    ],
)
def test_what_is_no_better_than_words_that_were_not_listed_does_not_belong(
    margins: list[float], others: list[float], belong: list[float]
) -> None:
    assert [margin for margin in margins if margin >= least_margin(margins, others)] == belong
