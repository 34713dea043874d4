"""Logistic weights from features to a probability, fitted to labelled examples. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.ports import Vectors

_ROUNDS = 50
_SETTLED = 1e-6
"""Where no factor moves by more than this, the rounds are over; some eight are enough."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression.

    Attributes:
        factors: One for each feature.
        constant: Added always.
    """

    factors: tuple[float, ...]
    constant: float

    def log_odds(self, features: Sequence[Sequence[float]] | Vectors) -> Vectors:
        """How much likelier yes is than no, for each row of `(n, d)`: `(n,) float32`."""
        return np.asarray(features, dtype=np.float32) @ np.asarray(self.factors, dtype=np.float32) + self.constant


def fit(
    features: Sequence[Sequence[float]] | Vectors, labels: Sequence[bool], *, ridge: float = 1.0, scaled: bool = True
) -> Weights:
    """Fits weights by Newton's method; both labels count the same in all.

    Args:
        features: `(n, d)`, n at least 1.
        labels: `(n,)`.
        ridge: How strongly large factors are avoided.
        scaled: Whether each feature is brought to the same scale before.
    """
    values, wanted = np.asarray(features, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-9 if scaled else np.ones(values.shape[1])
    rows = np.column_stack([(values - mean) / scale, np.ones(len(values))])
    positive = max(wanted.sum(), 1.0)
    counts = np.where(wanted > 0, len(wanted) / (2 * positive), len(wanted) / (2 * max(len(wanted) - positive, 1.0)))
    penalty = np.diag([*np.full(values.shape[1], ridge), 1e-6])
    found = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        likely = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -50.0, 50.0)))
        curvature = (rows.T * (counts * likely * (1.0 - likely))) @ rows + penalty
        step = np.linalg.solve(curvature, rows.T @ (counts * (wanted - likely)) - penalty @ found)
        found = found + step
        if np.abs(step).max() < _SETTLED:
            break
    factors = found[:-1] / scale
    return Weights(tuple(map(float, factors)), float(found[-1] - factors @ mean))
