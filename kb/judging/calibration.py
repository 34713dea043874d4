"""What a model shows in a look → a probability, by weights that are fitted to labelled looks for each model. Pure.

The margin between yes and no is one view of what the model holds in mind; its last hidden state is all of it. With
Qwen2.5-Coder 1.5B, fitted to the pairs that ship, right answers of XQuAD against other ones of their paragraph, AUC and
share of the right ones at 5 % of the wrong: by the margin .94 and .73 in English, .89 and .62 in Chinese; by the state
.98 and .93, .91 and .70.

A state has more numbers than there are labelled looks: its factors are kept small, and what the state says of a look
that it was fitted to is not what it says of others. So the looks are parted in folds, each is scored by the weights of
the others, and a second regression learns from these scores and the rest how much to trust each.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from kb.judging.reliability import measure
from kb.judging.weights import Weights, fit
from kb.ports import Vectors
from kb.values.chat import Looked

LookKind = Literal["evidence", "answer", "sentence"]
"""Is the answer there; is an answer borne out, that says something only with its question; is a whole sentence."""

LEAST_AUC = 0.65
"""A model that tells the true from the false less well than this is no judge; a coin has 0.5."""

_FOLDS = 5
_STATE_RIDGE = 1.0
_RIDGE = 0.3


@dataclass(frozen=True, slots=True)
class LookWeights:
    """How looks of one kind are read.

    Attributes:
        weights: Of the margin, and of the state, if the model shows it.
        auc: How well they told apart what they were not fitted to.
    """

    weights: Weights
    auc: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the looks of one model are read.

    Attributes:
        model: Its identity.
        looks: By their kind.
    """

    model: str
    looks: Mapping[LookKind, LookWeights]

    def can_judge(self, kind: LookKind) -> bool:
        """Whether the model has shown that it tells the true from the false in looks of a kind."""
        return kind in self.looks and self.looks[kind].auc >= LEAST_AUC

    @property
    def can_judge_statements(self) -> bool:
        """Whether it can judge what an answer says."""
        return self.can_judge("answer") or self.can_judge("sentence")

    def log_odds(self, kind: LookKind, looked: Looked) -> list[float]:
        """How much likelier yes is than no, for each look; of a kind that `can_judge`."""
        views, weights = views_of(looked), self.looks[kind].weights
        return [float(each) for each in weights.log_odds(views[:, : len(weights.factors)])]

    def to_json(self) -> str:
        """For a file."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Calibration":
        """Reads what `to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            fields = json.loads(text)
            looks = {
                kind: LookWeights(Weights(tuple(each["weights"]["factors"]), each["weights"]["constant"]), each["auc"])
                for kind, each in fields["looks"].items()
            }
            return Calibration(fields["model"], looks)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no calibration") from error


def views_of(looked: Looked) -> Vectors:
    """What looks have shown, one row each: `(n, 1 + d) float32`."""
    count = len(looked.margins)
    states = looked.states or ((),) * count
    rows = [[margin, *state] for margin, state in zip(looked.margins, states, strict=True)]
    return np.asarray(rows, dtype=np.float32).reshape(count, -1)


def fit_looks(views: Vectors, labels: Sequence[bool], groups: Sequence[str]) -> LookWeights:
    """Fits the weights of one kind of look.

    Args:
        views: `(n, 1 + d)`, of `views_of`, n at least 2.
        labels: `(n,)`.
        groups: `(n,)`; looks of one group, as those on one passage, are in one fold.
    """
    wanted = np.asarray(labels, dtype=bool)
    margins, states = views[:, :1], views[:, 1:].astype(np.float64)
    folds = _folds(groups)
    if not states.shape[1]:
        scores = _scored_by_others(margins, wanted, folds)
        return LookWeights(fit(margins, labels, ridge=_RIDGE), measure(_likely(scores), labels).auc)
    said = _said_by_others(states, wanted, folds)
    both = np.column_stack([margins, said])
    auc = measure(_likely(_scored_by_others(both, wanted, folds)), labels).auc
    outer, inner = fit(both, labels, ridge=_RIDGE), _fit_states(states, wanted)
    of_margin, trust = outer.factors
    factors = (of_margin, *(trust * factor for factor in inner.factors))
    return LookWeights(Weights(factors, outer.constant + trust * inner.constant), auc)


def _folds(groups: Sequence[str]) -> np.ndarray:
    order = {group: place % _FOLDS for place, group in enumerate(dict.fromkeys(groups))}
    return np.asarray([order[group] for group in groups])


def _scored_by_others(rows: np.ndarray, wanted: np.ndarray, folds: np.ndarray) -> np.ndarray:
    scores = np.zeros(len(rows))
    for fold in set(folds.tolist()):
        own = folds == fold
        if not own.all():
            scores[own] = fit(rows[~own], wanted[~own].tolist(), ridge=_RIDGE).log_odds(rows[own])
    return scores


def _said_by_others(states: np.ndarray, wanted: np.ndarray, folds: np.ndarray) -> np.ndarray:
    said = np.zeros(len(states))
    for fold in set(folds.tolist()):
        own = folds == fold
        if not own.all():
            said[own] = _fit_states(states[~own], wanted[~own]).log_odds(states[own])
    return said


def _fit_states(states: np.ndarray, wanted: np.ndarray) -> Weights:
    """Ridge regression on ±1, solved among the looks, of which there are fewer than numbers in a state."""
    mean, scale = states.mean(axis=0), (states.std(axis=0) + 1e-6) * np.sqrt(states.shape[1])
    rows, target = (states - mean) / scale, np.where(wanted, 1.0, -1.0)
    centre = float(target.mean())
    solved = np.linalg.solve(rows @ rows.T + _STATE_RIDGE * np.eye(len(rows)), target - centre)
    factors = (rows.T @ solved) / scale
    return Weights(tuple(map(float, factors)), centre - float(factors @ mean))


def _likely(log_odds: np.ndarray) -> list[float]:
    return [float(each) for each in 1.0 / (1.0 + np.exp(-np.clip(log_odds, -50.0, 50.0)))]
