"""How well probabilities tell the true from the false: what `kb eval judge` and `kb calibrate` print. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLD = 0.5
"""What is more likely than this counts as said."""

_BINS = 5


@dataclass(frozen=True, slots=True)
class Bin:
    """Probabilities between two bounds.

    Attributes:
        mean: Of the probabilities.
        true_share: Of those items that are true, in 0…1.
    """

    low: float
    high: float
    items: int
    mean: float
    true_share: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Figures of one group of labelled items; NaN where there is nothing to count.

    Attributes:
        true_passed: Share of the true ones above the threshold: recall.
        false_passed: Share of the false ones above it.
        precision: Share of the true ones among those above it.
        auc: How likely a true one has the larger probability than a false one.
    """

    items: int
    true_passed: float
    false_passed: float
    precision: float
    auc: float
    bins: tuple[Bin, ...]


def measure(probabilities: Sequence[float], labels: Sequence[bool]) -> Reliability:
    """Compares probabilities in 0…1 with what is true."""
    values, wanted = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=bool)
    passed = values >= THRESHOLD
    return Reliability(
        items=len(values),
        true_passed=_share(passed[wanted]),
        false_passed=_share(passed[~wanted]),
        precision=_share(wanted[passed]),
        auc=_auc(values[wanted], values[~wanted]),
        bins=tuple(_bins(values, wanted)),
    )


def _share(held: np.ndarray) -> float:
    return float(held.mean()) if len(held) else float("nan")


def _auc(true: np.ndarray, false: np.ndarray) -> float:
    if not len(true) or not len(false):
        return float("nan")
    ahead = (true[:, None] > false[None, :]).mean() + 0.5 * (true[:, None] == false[None, :]).mean()
    return float(ahead)


def _bins(values: np.ndarray, wanted: np.ndarray) -> list[Bin]:
    places = np.minimum((values * _BINS).astype(int), _BINS - 1)
    return [
        Bin(n / _BINS, (n + 1) / _BINS, int(held.sum()), float(values[held].mean()), float(wanted[held].mean()))
        for n in range(_BINS)
        if (held := places == n).any()
    ]
