"""The weights that decide about questions: those that ship, and how such are fitted to labelled questions.

Two yes-or-no regressions for leaning, and one softmax regression over what questions are. Its strength and the weight
of rare senses were chosen by cross-validation on the fitted questions, with those alike kept in one fold.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np

from kb.answering.understanding.decide import Decision, QuestionClassifier, QuestionWeights, sense_of
from kb.answering.understanding.features import features_of
from kb.answering.understanding.labelled_questions import decision_of, read_questions
from kb.atomic_write import write_atomically
from kb.judging.weights import Weights, fit
from kb.ports import Embedder, Vectors, embed_queries

logger = logging.getLogger(__name__)

FOLDER_NAME = "questions"
"""In the models directory, for what was fitted here."""

_VERSION = 1
"""Of what is fitted, and of the files: what another version wrote counts for nothing."""

_DATA = files("kb.answering.understanding") / "data"
_RIDGE = 0.03
_SOFTNESS = 30.0  # scikit-learn's C
_MOST_ROUNDS = 5000
_ENOUGH = 1e-4
_DECIMALS = 3


def classifier_for(model: str, embedder: Embedder, kept: Path | None = None) -> QuestionClassifier:
    """The weights that ship for a model; where there are none, they are fitted, which takes up to a minute.

    Args:
        model: Name of the embedding model.
        kept: A folder for what was fitted, so that it is fitted once; None: it is not kept.
    """
    shipped_for, shipped = from_json((_DATA / "question_weights.json").read_text("utf-8"))
    if shipped_for == model:
        return QuestionClassifier(shipped)
    path = kept / _file_name(embedder.identity) if kept else None
    if path is None:
        return QuestionClassifier(fit_to_questions(embedder))
    return QuestionClassifier(_kept(path, embedder.identity) or _fitted_and_kept(path, embedder))


def _kept(path: Path, identity: str) -> QuestionWeights | None:
    """What was fitted for a model before; a file that is damaged counts for nothing."""
    try:
        fitted_for, weights = from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s cannot be read (%s): questions are fitted again", path, error)
        return None
    return weights if fitted_for == identity else None


def _fitted_and_kept(path: Path, embedder: Embedder) -> QuestionWeights:
    weights = fit_to_questions(embedder)
    try:
        write_atomically(path, to_json(embedder.identity, weights))
    except OSError as error:
        logger.warning("%s cannot be written (%s): questions are fitted again next time", path, error.strerror)
    return weights


def _file_name(identity: str) -> str:
    """Another one for other labelled questions, and for another version."""
    labelled = hashlib.sha256((_DATA / "questions.jsonl").read_bytes())
    labelled.update(f"{_VERSION} {identity}".encode())
    return labelled.hexdigest()[:16] + ".json"


def fit_to_questions(embedder: Embedder) -> QuestionWeights:
    """Fits weights to the labelled questions that are not kept apart."""
    labelled = [each for each in read_questions() if each.split == "fit"]
    vectors = embed_queries(embedder, [each.question for each in labelled])
    leans, refers = (
        fit(vectors, [getattr(each.decision, name) for each in labelled], ridge=_RIDGE, scaled=False)
        for name in ("leans", "refers")
    )
    seen = np.stack([features_of(each.question, vector) for each, vector in zip(labelled, vectors, strict=True)])
    return QuestionWeights(leans, refers, _fit_senses(seen, [sense_of(each.decision) for each in labelled]))


def to_json(model: str, weights: QuestionWeights) -> str:
    """Writes weights, rounded, so that `from_json` reads them."""
    senses = [{**asdict(sense), **_rounded(each)} for sense, each in weights.senses]
    return json.dumps(
        {"model": model, "leans": _rounded(weights.leans), "refers": _rounded(weights.refers), "senses": senses}
    )


def from_json(written: str) -> tuple[str, QuestionWeights]:
    """Reads the name of an embedding model and its weights."""
    record = json.loads(written)
    senses = tuple((decision_of(each), _weights(each)) for each in record["senses"])
    return record["model"], QuestionWeights(_weights(record["leans"]), _weights(record["refers"]), senses)


def _fit_senses(vectors: Vectors, senses: Sequence[Decision]) -> tuple[tuple[Decision, Weights], ...]:
    """One softmax regression; a sense counts as the root of how often it is there."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    counts = Counter(senses)
    names = sorted(counts, key=str)
    share = len(senses) / sum(count**0.5 for count in counts.values())
    weights = {names.index(sense): share * count**-0.5 for sense, count in counts.items()}
    model = LogisticRegression(C=_SOFTNESS, class_weight=weights, max_iter=_MOST_ROUNDS, tol=_ENOUGH)
    with threadpool_limits(1):  # on a busy machine threads that wait for each other take minutes for such small things
        model.fit(vectors.astype(np.float64), [names.index(sense) for sense in senses])
    found = zip(names, model.coef_.tolist(), model.intercept_.tolist(), strict=True)
    return tuple((sense, Weights(tuple(factors), constant)) for sense, factors, constant in found)


def _rounded(weights: Weights) -> dict[str, object]:
    factors = [round(each, _DECIMALS) for each in weights.factors]
    return {"factors": factors, "constant": round(weights.constant, _DECIMALS)}


def _weights(record: dict[str, object]) -> Weights:
    factors, constant = record["factors"], record["constant"]
    if not isinstance(factors, list) or not isinstance(constant, int | float):
        raise ValueError("these are no weights")
    return Weights(tuple(map(float, factors)), float(constant))
