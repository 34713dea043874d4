"""Which of the items that are known by their form a question asks for; told from its embedding, in any language.

One logistic regression for each form is fitted to labelled questions when the first such question comes, which takes a
second or two.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from kb.answering.kinds.exhaustive.recognised import FORMS
from kb.judging.weights import fit
from kb.ports import Embedder, Vectors
from kb.text.terms import content_terms

_RIDGE = 0.03
_LEAST_LOG_ODDS = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question asks for.

    Attributes:
        forms: Names of forms; none: what is asked for is known by its meaning alone.
        is_plain: Whether all that have the form are asked for, wherever they stand: the question has no word but such.
    """

    forms: tuple[str, ...] = ()
    is_plain: bool = False


class WantedForms:
    """Tells what questions ask for, with the embedding model in use."""

    def __init__(self) -> None:
        self._fitting = threading.Lock()
        self._fitted: tuple[str, Vectors, Vectors] | None = None
        self._frame: frozenset[str] = frozenset()

    def of(self, question: str, embedder: Embedder, named: str = "") -> Wanted:
        """Reads a question.

        Args:
            named: Names of documents and folders that it speaks of.
        """
        factors, constants = self._weights(embedder)
        odds = factors @ embedder.embed_query(question) + constants
        forms = tuple(form for form, likely in zip(FORMS, odds.tolist(), strict=True) if likely >= _LEAST_LOG_ODDS)
        beside = set(content_terms(question)) - self._frame - set(content_terms(named))
        return Wanted(forms, is_plain=not beside)

    def frame(self, embedder: Embedder) -> frozenset[str]:
        """The terms of questions that ask for all that have a form; they name no document."""
        self._weights(embedder)
        return self._frame

    def _weights(self, embedder: Embedder) -> tuple[Vectors, Vectors]:
        with self._fitting:
            if self._fitted is None or self._fitted[0] != embedder.identity:
                labelled = list(_labelled())
                vectors = np.array([embedder.embed_query(question) for question, _ in labelled])
                fitted = [
                    fit(vectors, [form in each for _, each in labelled], ridge=_RIDGE, scaled=False) for form in FORMS
                ]
                factors = np.array([each.factors for each in fitted], dtype=np.float32)
                constants = np.array([each.constant for each in fitted], dtype=np.float32)
                self._fitted = embedder.identity, factors, constants
                plain = (question for question, forms in labelled if forms)
                self._frame = frozenset(term for question in plain for term in content_terms(question))
            return self._fitted[1:]


def _labelled() -> Iterator[tuple[str, frozenset[str]]]:
    written = (files("kb.answering") / "data" / "items.jsonl").read_text("utf-8")
    for line in written.splitlines():
        record = json.loads(line)
        yield record["question"], frozenset(record["forms"])
