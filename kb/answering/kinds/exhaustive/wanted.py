"""Which of the items that are known by their form a question asks for; told from its embedding, in any language.

One logistic regression for each form is fitted to labelled questions when the first such question comes, which takes a
second or two.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

import numpy as np

from kb.answering.kinds.exhaustive.recognised import FORMS
from kb.judging.weights import fit
from kb.ports import Embedder, Vectors
from kb.text.scripts import is_cjk
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


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A question of the data file.

    Attributes:
        is_plain: See `Wanted`.
        names_place: Whether it speaks of documents, too.
    """

    question: str
    forms: frozenset[str]
    is_plain: bool
    names_place: bool


class WantedForms:
    """Tells what questions ask for, with the embedding model in use."""

    def __init__(self) -> None:
        self._fitting = threading.Lock()
        self._fitted: tuple[str, Vectors, Vectors] | None = None

    @cached_property
    def frame(self) -> frozenset[str]:
        """The terms that only say what is looked for, and name no document."""
        return _terms(each for each in self._labelled if each.is_plain and not each.names_place)

    def of(self, question: str, embedder: Embedder, named: str = "") -> Wanted:
        """Reads a question.

        Args:
            named: Names of documents and folders that it speaks of.
        """
        factors, constants = self._weights(embedder)
        odds = factors @ embedder.embed_query(question) + constants
        forms = tuple(form for form, likely in zip(FORMS, odds.tolist(), strict=True) if likely >= _LEAST_LOG_ODDS)
        known = self._plain_terms | set(content_terms(named))
        characters = set("".join(known))  # Chinese terms run over the ends of words
        beside = [
            term
            for term in content_terms(question)
            if term not in known and not term[0].isdigit() and not (is_cjk(term[0]) and characters.issuperset(term))
        ]
        return Wanted(forms, is_plain=not beside)

    @cached_property
    def _plain_terms(self) -> frozenset[str]:
        return _terms(each for each in self._labelled if each.is_plain)

    @cached_property
    def _labelled(self) -> list[_Labelled]:
        written = (files("kb.answering.understanding") / "data" / "items.jsonl").read_text("utf-8")
        return [
            _Labelled(
                question=each["question"],
                forms=frozenset(each["forms"]),
                is_plain=bool(each["forms"]) and each.get("plain", True),
                names_place=each.get("place", False),
            )
            for each in map(json.loads, written.splitlines())
        ]

    def _weights(self, embedder: Embedder) -> tuple[Vectors, Vectors]:
        with self._fitting:
            if self._fitted is None or self._fitted[0] != embedder.identity:
                vectors = np.array([embedder.embed_query(each.question) for each in self._labelled])
                wanted = [[form in each.forms for each in self._labelled] for form in FORMS]
                fitted = [fit(vectors, labels, ridge=_RIDGE, scaled=False) for labels in wanted]
                factors = np.array([each.factors for each in fitted], dtype=np.float32)
                constants = np.array([each.constant for each in fitted], dtype=np.float32)
                self._fitted = embedder.identity, factors, constants
            return self._fitted[1:]


def _terms(labelled: Iterable[_Labelled]) -> frozenset[str]:
    return frozenset(term for each in labelled for term in content_terms(each.question))
