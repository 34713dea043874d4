"""What a question is, told from its embedding: which kind, what form its answer wants, and whether it leans on others.

The search needs the embedding anyway, so a decision costs no token and next to no time, in every language that the
embedding model knows. Whether a question leans is told by a logistic regression; kind, form, what is to be computed and
whether several things are asked, by one softmax regression over all that these are together: whatever asks for a sum is
more alike than whatever is of the same kind, so this tells kinds better than a regression for each (in folds of the
fitted questions, with those alike in one fold, .85 against .82; form .86 against .81).

Compared with the rules by words that were here before, with multilingual-e5-small: on 390 questions that were not
fitted to, though many are translations of such that were ("held"), on 140 in six languages about 42 other situations
("unseen"), and on 48 in German, Spanish, French and Japanese ("fresh"). The unseen and the fresh ones were asked once
for each change, and never read. The threshold for leaning was chosen with the help of `tests/dialogues.json`.

| decision | measure | held: rules | held: this | unseen: rules | unseen: this | fresh: this |
| --- | --- | --- | --- | --- | --- | --- |
| leans (where something was asked before) | precision, recall | .96, .75 | .98, .93 | 1.00, .55 | 1.00, .70 | |
| form, of five | right | .77 | .85 | .59 | .76 | .96 |
| several, by the embedding | precision, recall | 1.00, .76 | .93, .56 | 1.00, .50 | 1.00, .25 | 1.00, 1.00 |
| kind, of five | right | | .84 | | .82 | .96 |
| kind, where `subquestions` tells lookups with several parts | right | | .86 | | .85 | .96 |
| what is to be computed, of parts | right | | .94 | | | .91 |

Of 64 more questions that want something computed ("computed") .86 are taken for parts, and of .81 it is told what; of
.73 both.

XQuAD in English, XQuAD in Chinese and CMRC mostly want one sentence: of 300 questions each another form is told for 9,
13 and 10 %, another kind for 10, 12 and 7 %, and something to be computed for 4, 4 and 3 %, which is looked up where
there are no numbers to compute with.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from kb.answering.understanding.form import Form
from kb.judging.weights import Weights
from kb.ports import Embedder, Vectors
from kb.values.answers import Operation, QuestionKind

_Part = TypeVar("_Part")

LEAST_LOG_ODDS_OF_LEANING = -0.3
"""What is likelier than this leans. Who leans and is not seen to finds nothing; who does not, and is thought to, finds
less. So there doubt is for leaning."""
LEAST_LOG_ODDS_OF_REFERRING = 0.0
DOUBT = 1.0
"""So much speaks for a lookup of one fact beforehand: most questions are such, of the labelled ones fewer than half."""
LEAST_LIKELIHOOD: dict[QuestionKind, float] = {"parts": 0.6}
"""What is less likely than this is a lookup, though no other kind is likelier."""
LEAST_LIKELIHOOD_OF_DOUBT = 0.1
"""From this likelihood of parts on, it is looked whether the answer of a lookup has left something open."""
LEAST_LIKELIHOOD_OF_SEVERAL = 0.4
"""What is likelier than this is cut where its signs allow."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a question is.

    Attributes:
        leans: Whether it cannot be understood without what was said before.
        refers: Whether it does so by what it names, as "it", "there" and "why?" do; "and in 2023?" does not.
        several: Whether it surely asks several things, each of which could be asked by itself.
        operation: What is to be computed, where several facts are put together.
        may_be_parts: Whether it is taken for a lookup though it may ask for several facts.
    """

    leans: bool = False
    refers: bool = False
    several: bool = False
    kind: QuestionKind = "lookup"
    form: Form = "sentence"
    operation: Operation = "none"
    may_be_parts: bool = False


@dataclass(frozen=True, slots=True)
class QuestionWeights:
    """What a classifier is made of.

    Attributes:
        senses: All that a question can be, but for leaning, each with its row of one softmax regression.
    """

    leans: Weights
    refers: Weights
    senses: tuple[tuple[Decision, Weights], ...]


def sense_of(decision: Decision) -> Decision:
    """What a question is, but for leaning."""
    return replace(decision, leans=False, refers=False)


class QuestionClassifier:
    """Decides about questions."""

    def __init__(self, weights: QuestionWeights) -> None:
        self._senses = [sense for sense, _ in weights.senses]
        rows = [weights.leans, weights.refers, *(each for _, each in weights.senses)]
        self._factors = np.array([each.factors for each in rows], dtype=np.float32)
        doubt = [0.0, 0.0, *(DOUBT * (sense == Decision()) for sense in self._senses)]
        self._constants = np.array([each.constant for each in rows], dtype=np.float32)
        self._constants += np.array(doubt, dtype=np.float32)

    def decide(self, vector: Vectors, kind: QuestionKind | None = None) -> Decision:
        """Decides about one question.

        Args:
            vector: `(d,) float32`, as the embedder embeds a question.
            kind: If it is known.
        """
        leans, refers, *scores = (self._factors @ vector + self._constants).tolist()
        likely = dict(zip(self._senses, _softmax(scores), strict=True))
        kinds = _shares(likely, lambda sense: sense.kind)
        known = kind or max(kinds, key=kinds.__getitem__)
        if kind is None and kinds[known] < LEAST_LIKELIHOOD.get(known, 0.0):
            known = "lookup"
        of_kind = {sense: share for sense, share in likely.items() if sense.kind == known}
        return Decision(
            leans=leans >= LEAST_LOG_ODDS_OF_LEANING,
            refers=refers >= LEAST_LOG_ODDS_OF_REFERRING,
            several=sum(share for sense, share in likely.items() if sense.several) >= LEAST_LIKELIHOOD_OF_SEVERAL,
            kind=known,
            form=_likeliest(likely, lambda sense: sense.form),
            operation=_likeliest(of_kind, lambda sense: sense.operation),
            may_be_parts=kind is None and known == "lookup" and kinds.get("parts", 0.0) >= LEAST_LIKELIHOOD_OF_DOUBT,
        )


FitClassifier = Callable[[str, Embedder], QuestionClassifier]
"""Makes a classifier for an embedding model, given its name."""


class Classifiers:
    """The classifier of the embedding model in use; made when it is first asked for."""

    def __init__(self, fit_one: FitClassifier) -> None:
        self._fit = fit_one
        self._fitting = threading.Lock()
        self._fitted: tuple[str, QuestionClassifier] | None = None

    def of(self, model: str, embedder: Embedder) -> QuestionClassifier:
        """The classifier for an embedding model, given its name."""
        with self._fitting:
            if self._fitted is None or self._fitted[0] != embedder.identity:
                self._fitted = (embedder.identity, self._fit(model, embedder))
            return self._fitted[1]


def _softmax(scores: list[float]) -> list[float]:
    likely = np.exp(np.array(scores) - max(scores))
    return [float(share) for share in likely / likely.sum()]


def _likeliest(likely: Mapping[Decision, float], part: Callable[[Decision], _Part]) -> _Part:
    """The part of a decision that most of the likelihood has."""
    shares = _shares(likely, part)
    return max(shares, key=shares.__getitem__)


def _shares(likely: Mapping[Decision, float], part: Callable[[Decision], _Part]) -> dict[_Part, float]:
    shares: defaultdict[_Part, float] = defaultdict(float)
    for sense, share in likely.items():
        shares[part(sense)] += share
    return shares
