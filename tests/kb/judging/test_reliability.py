import math

import pytest

from kb.judging.reliability import measure


def test_figures_are_those_of_a_small_set() -> None:
    found = measure([0.9, 0.6, 0.4, 0.7, 0.1], [True, True, True, False, False])
    assert found.items == 5
    assert found.true_passed == pytest.approx(2 / 3)
    assert found.false_passed == pytest.approx(1 / 2)
    assert found.precision == pytest.approx(2 / 3)
    assert found.auc == pytest.approx(4 / 6)
    assert sum(each.items for each in found.bins) == 5
    assert all(each.low <= each.mean <= each.high for each in found.bins)
    last = found.bins[-1]
    assert (last.items, last.true_share) == (1, 1.0)


def test_ties_count_half() -> None:
    assert measure([0.5, 0.5], [True, False]).auc == 0.5


@pytest.mark.parametrize("label", [True, False])
def test_what_cannot_be_told_is_not_a_number(label: bool) -> None:
    found = measure([0.2], [label])
    assert math.isnan(found.auc)
    assert math.isnan(found.precision)
