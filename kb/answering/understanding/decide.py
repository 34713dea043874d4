"""What a question is, told from its embedding and its words: which kind, what form, and whether it leans on others.

The search needs the embedding anyway, so a decision costs no token and next to no time, in every language that the
embedding model knows; the words are put beside it by `features`. Whether a question leans is told by a logistic
regression on the embedding; kind, form, what is to be computed and whether several things are asked, by one softmax
regression over all that these are together: whatever asks for a sum is more alike than whatever is of the same kind.
When in doubt, a question is a lookup: what asks for several facts must be likely.

With multilingual-e5-small, shares that are right. "held" are 390 questions that were not fitted to, though many are
translations of such; "unseen" 140 about 42 other situations and "fresh" 48 in German, Spanish, French and Japanese,
never read; "computed" 64 that want something computed; "stated" 155, of which most ask for what a document states as
if it were to be computed; "listed" 120, of which more than half ask for all of something, seldom with the word "all".
How sure it must be was chosen with the help of the figures of all but the last.

| decision | held | unseen | fresh | computed | stated | listed |
| --- | --- | --- | --- | --- | --- | --- |
| kind, of five | .87 | .86 | .96 | .89 | .91 | .70 |
| the same, with the parts that `subquestions` sees | .90 | .90 | .96 | .89 | .91 | .70 |
| recall of parts | .79 | .66 | .82 | .89 | .89 | .64 |
| recall of lists | .89 | .90 | 1.0 | - | - | .64 |
| form, of five | .88 | .84 | .98 | .89 | .87 | .71 |

XQuAD in English, XQuAD in Chinese and CMRC mostly ask for one sentence: of 300 questions each another kind is told for
7.3, 4.3 and 4.3 %, something to be computed for 2.3, 2.7 and 1.3 %, another form for 11.7, 8.7 and 13.7 %.

Who leans is told with precision and recall of .83 and .94 on the held ones, .86 and .90 on the unseen ones: what refers
leans, which adds 0 and 2 of those that do, and 2 and 0 others. Its threshold was chosen with the help of
`tests/dialogues.json`.
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
LEAST_LIKELIHOOD_OF_PARTS = 0.63
"""What is less likely than this to ask for several facts, or for something to be computed, is a lookup: in doubt, such
questions are. Chosen so that at most one in twenty plain questions is not taken for a lookup, in each language."""
LEAST_LIKELIHOOD_OF_DOUBT = 0.35
"""From this likelihood of parts on, it is looked whether the answer of a lookup has left something open."""
LEAST_SHARE_OF_FORM = 0.5
"""Another form than a sentence is wanted where it has this share of the likelihood of the kind."""
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
        self._factors = np.zeros((len(rows), max(len(each.factors) for each in rows)), dtype=np.float32)
        for place, each in enumerate(rows):  # leaning is told from the embedding alone
            self._factors[place, : len(each.factors)] = each.factors
        self._constants = np.array([each.constant for each in rows], dtype=np.float32)

    def decide(self, vector: Vectors, kind: QuestionKind | None = None) -> Decision:
        """Decides about one question.

        Args:
            vector: `(d,) float32`, of `kb.answering.understanding.features.features_of`.
            kind: If it is known.
        """
        leans, refers, *scores = (self._factors @ vector + self._constants).tolist()
        likely = dict(zip(self._senses, _softmax(scores), strict=True))
        kinds: dict[QuestionKind, float] = _shares(likely, lambda sense: sense.kind)
        likeliest: QuestionKind = max(kinds, key=lambda each: kinds[each])
        if likeliest == "parts" and kinds[likeliest] < LEAST_LIKELIHOOD_OF_PARTS:
            likeliest = "lookup"
        known = kind or likeliest
        of_kind = {sense: share for sense, share in likely.items() if sense.kind == known}
        does_refer = refers >= LEAST_LOG_ODDS_OF_REFERRING
        return Decision(
            leans=does_refer or leans >= LEAST_LOG_ODDS_OF_LEANING,
            refers=does_refer,
            several=sum(share for sense, share in likely.items() if sense.several) >= LEAST_LIKELIHOOD_OF_SEVERAL,
            kind=known,
            form=_form_of(of_kind),
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


def _form_of(likely: Mapping[Decision, float]) -> Form:
    shares = _shares(likely, lambda sense: sense.form)
    form = max(shares, key=shares.__getitem__)
    return form if shares[form] >= LEAST_SHARE_OF_FORM * sum(shares.values()) else "sentence"


def _shares(likely: Mapping[Decision, float], part: Callable[[Decision], _Part]) -> dict[_Part, float]:
    shares: defaultdict[_Part, float] = defaultdict(float)
    for sense, share in likely.items():
        shares[part(sense)] += share
    return shares
