"""What a model shows becomes a probability, whatever its scale, and however much of its state is noise."""

import numpy as np
import pytest

from kb.judging.calibration import LEAST_AUC, Calibration, LookWeights, fit_looks, views_of
from kb.judging.weights import Weights
from kb.ports import Vectors
from kb.values.chat import Looked

COUNT, WIDTH = 240, 400
LABELS = [number % 2 == 0 for number in range(COUNT)]
GROUPS = [str(number // 4) for number in range(COUNT)]


def seen(margin: float, state: float, *, width: int = WIDTH, seed: int = 0) -> Vectors:
    """Looks whose margin, and whose state along one direction, differ by so many deviations between true and false."""
    noise = np.random.default_rng(seed)
    sign = np.where(LABELS, 0.5, -0.5)[:, None]
    margins = 20.0 + 7.0 * (margin * sign + noise.normal(size=(COUNT, 1)))
    direction = np.random.default_rng(1).normal(size=width) / np.sqrt(width)
    states = noise.normal(size=(COUNT, width)) + state * sign * direction * np.sqrt(width)
    return np.concatenate([margins, states], axis=1).astype(np.float32)


def probabilities(weights: LookWeights, views: Vectors) -> np.ndarray:
    calibration = Calibration("m", {"answer": weights})
    looked = Looked(tuple(map(float, views[:, 0])), tuple(map(tuple, views[:, 1:].tolist())))
    return 1.0 / (1.0 + np.exp(-np.asarray(calibration.log_odds("answer", looked))))


@pytest.mark.parametrize(("margin", "state", "width"), [(4.0, 0.0, 0), (4.0, 0.0, WIDTH), (0.0, 0.5, WIDTH)])
def test_what_tells_the_true_from_the_false_is_found_in_margin_or_state(
    margin: float, state: float, width: int
) -> None:
    weights = fit_looks(seen(margin, state, width=width), LABELS, GROUPS)
    assert weights.auc > 0.9
    unseen = probabilities(weights, seen(margin, state, width=width, seed=2))
    assert unseen[LABELS].mean() > 0.75
    assert unseen[~np.asarray(LABELS)].mean() < 0.25


def test_model_that_tells_nothing_is_no_judge() -> None:
    weights = fit_looks(seen(0.0, 0.0), LABELS, GROUPS)
    assert weights.auc < LEAST_AUC
    calibration = Calibration("m", {"answer": weights})
    assert not calibration.can_judge("answer")
    assert not calibration.can_judge("sentence"), "nothing was fitted"


def test_looks_of_one_group_do_not_vouch_for_each_other() -> None:
    views = seen(0.0, 0.0)
    doubled = np.concatenate([views, views])
    apart = fit_looks(doubled, LABELS * 2, [*GROUPS, *(f"other {int(group) // 2}" for group in GROUPS)])
    together = fit_looks(doubled, LABELS * 2, GROUPS * 2)
    assert apart.auc > 0.9, "a copy in another group gives the label away"
    assert together.auc < LEAST_AUC


def test_calibration_is_the_same_when_read_again() -> None:
    calibration = Calibration("m", {"answer": LookWeights(Weights((1.0, 0.5), -1.0), 0.9)})
    assert Calibration.from_json(calibration.to_json()) == calibration
    assert calibration.can_judge("answer")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"model": "m", "looks": {"answer": {}}}', '{"model": "m", "looks": 3}']
)
def test_what_is_no_calibration_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError):
        Calibration.from_json(text)


def test_view_has_what_the_model_shows_and_no_more() -> None:
    assert views_of(Looked((1.0, 2.0))).tolist() == [[1.0], [2.0]]
    assert views_of(Looked((1.0,), ((3.0, 4.0),))).tolist() == [[1.0, 3.0, 4.0]]
