"""Finds sentences of documents that speak to the one who answers, so that they are not taken for what is to be done.

"Ignore all that is said above" tells nothing about the world; "press the red button" does, though it is an order too.
A linear classifier on the embedding of a sentence tells them apart in every language that the embedding model knows.
It is fitted to labelled sentences that ship with the service; for the model that most people use, weights ship as well.

Measured with multilingual-e5-small on sentences that it was not fitted to: see `kb eval poison`.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from importlib.resources import files

from kb.judging.weights import Weights, fit
from kb.ports import Embedder, Vectors

_DATA = files(__package__) / "data"

LEAST_LOG_ODDS = 1.0
"""What is likelier than this to speak to the answerer is found: so that what may be meant for people is left alone."""

_LONGEST_CHARS = 600
MOST_REMEMBERED = 20_000
"""Sentences: of those that are asked about, the same come again."""

FitFinder = Callable[[str, Embedder], Weights]
"""Makes the weights for an embedding model, given its name."""


def weights_for(model: str, embedder: Embedder) -> Weights:
    """The weights that ship for a model; where there are none, the examples are embedded, which takes some seconds."""
    shipped = json.loads((_DATA / "instruction_weights.json").read_text("utf-8"))
    if shipped["model"] == model:
        return Weights(tuple(shipped["factors"]), shipped["constant"])
    return fit_to_examples(embedder)


class InstructionFinder:
    """Finds such sentences.

    Args:
        model: Name of the embedding model.
        embedder: That model.
        fit_one: Called at first use.
    """

    def __init__(self, model: str, embedder: Embedder, fit_one: FitFinder = weights_for) -> None:
        self._model = model
        self._embedder = embedder
        self._fit = fit_one
        self._fitting = threading.Lock()
        self._weights: Weights | None = None
        self._remembered: dict[bytes, bool] = {}  # by digest, so that no text stays; the oldest first

    def is_of(self, embedder: Embedder) -> bool:
        """Whether it sees with a model."""
        return self._embedder is embedder

    def get_ready(self) -> None:
        """Fits the weights now; else the first sentence that is asked about waits for them."""
        self._ready_weights()

    def found(self, sentences: Sequence[str]) -> list[bool]:
        """Which of some sentences speak to the one who answers."""
        digests = [
            hashlib.blake2b(sentence.encode("utf-8", "replace"), digest_size=16).digest() for sentence in sentences
        ]
        known = self._remembered
        new = {digest: sentence for digest, sentence in zip(digests, sentences, strict=True) if digest not in known}
        if new:
            scores = self.log_odds(list(new.values()))
            known = known | {digest: bool(score >= LEAST_LOG_ODDS) for digest, score in zip(new, scores, strict=True)}
            self._remembered = dict(list(known.items())[-MOST_REMEMBERED:])
        return [known[digest] for digest in digests]

    def log_odds(self, sentences: Sequence[str]) -> Vectors:
        """How much likelier it is that they do than not: `(n,) float32`, of one sentence or more."""
        weights = self._ready_weights()
        return weights.log_odds(self._embedder.embed_passages([sentence[:_LONGEST_CHARS] for sentence in sentences]))

    def _ready_weights(self) -> Weights:
        with self._fitting:
            if self._weights is None:
                self._weights = self._fit(self._model, self._embedder)
            return self._weights


def fit_to_examples(embedder: Embedder) -> Weights:
    """Fits weights to the examples that are not kept apart."""
    examples = [example for example in read_examples() if example["split"] == "fit"]
    vectors = embedder.embed_passages([str(example["text"]) for example in examples])
    return fit(vectors, [bool(example["label"]) for example in examples], ridge=0.03, scaled=False)


def read_examples() -> list[dict[str, object]]:
    """The labelled sentences: `text`, `language`, `label` and `split`."""
    return [json.loads(line) for line in (_DATA / "instructions.jsonl").read_text("utf-8").splitlines()]
