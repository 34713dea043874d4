"""What a question is, told from its embedding: which kind, what form its answer wants, and whether it leans on others.

The search needs the embedding anyway, so a decision costs no token and next to no time, in every language that the
embedding model knows. One logistic regression for each choice is fitted to labelled questions that ship with the
service; for the model that most people use, weights ship as well.

Compared with the rules by words that were here before, with multilingual-e5-small: on 328 questions that were not
fitted to, though many are translations of such that were ("held"), and on 140 in six languages about 42 other
situations, written before anything was measured ("unseen"). The unseen ones were asked once, and again when more
examples had been added by one who had not looked at what was wrong (the first time leaning had recall .80, form .84,
kind .78). Kind, and what is to be computed, were measured anew with 470 more examples: held, once on the unseen ones,
and once on 48 in German, Spanish, French and Japanese that were written for it ("fresh"). The threshold for leaning was
chosen with the help of `tests/dialogues.json`.

| decision | measure | held: rules | held: this | unseen: rules | unseen: this |
| --- | --- | --- | --- | --- | --- |
| leans (where something was asked before) | precision, recall | .96, .75 | 1.00, .93 | 1.00, .55 | 1.00, .75 |
| the same, neither English nor Chinese | recall | .00 | .83 | .12 | .50 |
| form, of five | right | .77 | .85 | .59 | .87 |
| several, by the embedding | precision, recall | 1.00, .76 | .72, .72 | 1.00, .50 | 1.00, .42 |
| several, cut by `subquestions` with both | precision, recall | | 1.00, .88 | | 1.00, .67 |
| kind, of five | right | | .82 | | .79; "fresh": .85 |
| what is to be computed, of ten | right | | .92 | | .96; "fresh": .98 |

XQuAD in English, XQuAD in Chinese and CMRC mostly want one sentence: of 300 questions each another form is told for 7,
12 and 14 % (by the rules, which knew such questions: 1, 8 and 20 %). So leaning and form are decided here alone; what
asks several things is cut by rules where they know the words.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar, get_args

import numpy as np

from kb.answering.form import Form
from kb.judging.weights import Weights, fit
from kb.ports import Embedder, Vectors, embed_queries
from kb.values.answers import Operation, QuestionKind

_DATA = files(__package__) / "data"
_RIDGE = 0.03

LEANS, REFERS, SEVERAL = "leans", "refers", "several"
CHOICES: tuple[str, ...] = (LEANS, REFERS, SEVERAL, *get_args(QuestionKind), *get_args(Form), *get_args(Operation))

LEAST_LOG_ODDS = {LEANS: -0.3, REFERS: 0.0, SEVERAL: 0.5}
"""What is likelier than this is said; everything else than these from 0.5 on. In doubt: a lookup, in one sentence.

Who leans and is not seen to finds nothing; who does not, and is thought to, finds less. So there doubt is for leaning.
"""
_LEAST_LOG_ODDS = 0.5

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a question is.

    Attributes:
        leans: Whether it cannot be understood without what was said before.
        refers: Whether it does so by what it names, as "it", "there" and "why?" do; "and in 2023?" does not.
        several: Whether it surely asks several things, each of which could be asked by itself.
        operation: What is to be computed, where several facts are put together.
    """

    leans: bool = False
    refers: bool = False
    several: bool = False
    kind: QuestionKind = "lookup"
    form: Form = "sentence"
    operation: Operation = "none"


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question of the data file.

    Attributes:
        before: The questions before it, oldest first.
        split: `fit`; `held` and `unseen` are for measuring.
        topics: Of an inventory: what in it says what the documents are about, or where they are.
    """

    question: str
    language: str
    split: str
    decision: Decision
    before: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


class QuestionClassifier:
    """Decides about questions.

    Args:
        weights: One for each of `CHOICES`, in their order.
    """

    def __init__(self, weights: Sequence[Weights]) -> None:
        self._factors = np.array([each.factors for each in weights], dtype=np.float32)
        self._constants = np.array([each.constant for each in weights], dtype=np.float32)

    def decide(self, vector: Vectors) -> Decision:
        """Decides about one question.

        Args:
            vector: `(d,) float32`, as the embedder embeds a question.
        """
        odds = dict(zip(CHOICES, (self._factors @ vector + self._constants).tolist(), strict=True))
        return Decision(
            leans=odds[LEANS] >= LEAST_LOG_ODDS[LEANS],
            refers=odds[REFERS] >= LEAST_LOG_ODDS[REFERS],
            several=odds[SEVERAL] >= LEAST_LOG_ODDS[SEVERAL],
            kind=_likeliest(odds, get_args(QuestionKind)),
            form=_likeliest(odds, get_args(Form)),
            operation=_likeliest(odds, get_args(Operation)),
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


def classifier_for(model: str, embedder: Embedder) -> QuestionClassifier:
    """The weights that ship for a model; where there are none, they are fitted, which takes some ten seconds."""
    shipped = json.loads((_DATA / "question_weights.json").read_text("utf-8"))
    if shipped["model"] == model:
        return QuestionClassifier([Weights(tuple(w["factors"]), w["constant"]) for w in shipped["weights"]])
    return QuestionClassifier(fit_to_questions(embedder))


def fit_to_questions(embedder: Embedder) -> list[Weights]:
    """Fits weights, one for each of `CHOICES`, to the labelled questions that are not kept apart."""
    labelled = [each for each in read_questions() if each.split == "fit"]
    vectors = embed_queries(embedder, [each.question for each in labelled])
    chosen = [_chosen(each.decision) for each in labelled]
    return [fit(vectors, [choice in all_of for all_of in chosen], ridge=_RIDGE, scaled=False) for choice in CHOICES]


def read_questions() -> list[LabelledQuestion]:
    """The labelled questions that ship."""
    return [labelled(json.loads(line)) for line in (_DATA / "questions.jsonl").read_text("utf-8").splitlines()]


def labelled(record: dict[str, object]) -> LabelledQuestion:
    """Reads a line of such a file.

    Args:
        record: `question`; if known `language`, `before` (a list), the attributes of a `Decision`, and `split`.

    Raises:
        KeyError: There is no question.
        ValueError: A label is none of those that there are.
    """
    return LabelledQuestion(
        question=str(record["question"]),
        language=str(record.get("language", "")),
        split=str(record.get("split", "")),
        decision=Decision(
            leans=bool(record.get("leans", False)),
            refers=bool(record.get("refers", False)),
            several=bool(record.get("several", False)),
            kind=_one_of(get_args(QuestionKind), record.get("kind", "lookup")),
            form=_one_of(get_args(Form), record.get("form", "sentence")),
            operation=_one_of(get_args(Operation), record.get("operation", "none")),
        ),
        before=_texts(record, "before"),
        topics=_texts(record, "topics"),
    )


def _texts(record: dict[str, object], name: str) -> tuple[str, ...]:
    texts = record.get(name) or []
    if not isinstance(texts, list):
        raise ValueError(f"{name} is no list")
    return tuple(map(str, texts))


def _one_of(names: tuple[_Choice, ...], name: object) -> _Choice:
    for each in names:
        if each == name:
            return each
    raise ValueError(f"{name!r} is none of {', '.join(names)}")


def _likeliest(odds: dict[str, float], names: tuple[_Choice, ...]) -> _Choice:
    """The likeliest choice; the first of them if that is not likely enough."""
    best = max(names, key=odds.__getitem__)
    return best if odds[best] >= _LEAST_LOG_ODDS else names[0]


def _chosen(decision: Decision) -> set[str]:
    held = {LEANS: decision.leans, REFERS: decision.refers, SEVERAL: decision.several}
    return {decision.kind, decision.form, decision.operation, *(name for name, is_held in held.items() if is_held)}
