import pytest

from kb.judging.weights import Weights, fit


def test_log_odds_add_up() -> None:
    assert Weights((2.0, -1.0), 0.5).log_odds([[0.0, 0.5], [1.0, 0.5]]).tolist() == pytest.approx([0.0, 2.0])


@pytest.mark.parametrize("scaled", [True, False])
def test_what_is_fitted_tells_the_labels_apart_whatever_their_share(scaled: bool) -> None:
    features = [[float(n), 100.0] for n in range(20)]
    labels = [n >= 16 for n in range(20)]
    log_odds = fit(features, labels, scaled=scaled, ridge=0.01).log_odds(features)
    assert [odds > 0 for odds in log_odds] == labels


def test_one_label_alone_does_no_harm() -> None:
    assert fit([[1.0], [2.0]], [True, True]).log_odds([[1.5]])[0] > 0
