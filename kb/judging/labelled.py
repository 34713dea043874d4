"""The labelled pairs that ship, as what a model is asked to look at: what it is calibrated with. Pure.

A line of a file is a question, a statement, or a group: a passage with a question, right and wrong answers to it, a
true sentence and one that is not, and a question that the passage does not answer. See `data/README.md`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from kb.judging.calibration import LookKind
from kb.judging.support import is_answer

_DATA = files(__package__) / "data"
_SHIPPED = ("answerable.jsonl", "supported.jsonl", "groups.jsonl")


@dataclass(frozen=True, slots=True)
class LabelledLook:
    """Something that a model is asked, and whether yes is right.

    Attributes:
        kind: What is asked.
        error: The kind of truth, or of error.
        question: That of an answer, or whose answer is sought; empty of a whole sentence.
        statement: Empty where an answer is sought.
        is_held: Whether it is kept apart from what is fitted.
    """

    kind: LookKind
    language: str
    error: str
    passages: tuple[str, ...]
    question: str
    statement: str
    label: bool
    is_held: bool


def shipped_looks() -> list[LabelledLook]:
    """All that ship."""
    texts = [(_DATA / name).read_text("utf-8") for name in _SHIPPED]
    return [look for text in texts for line in text.splitlines() for look in looks_of(json.loads(line))]


def looks_of(item: dict[str, Any]) -> list[LabelledLook]:
    """What a line of a file asks.

    Raises:
        KeyError, TypeError: It is no such line.
    """
    if "passage" not in item:
        return [_look(item)]
    shared = {"passages": [item["passage"]], "language": item.get("language"), "split": item.get("split")}
    return [_look({**shared, **asked}) for asked in _of_group(item)]


def _of_group(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    question = item["question"]
    yield {"kind": "answered", "question": question, "label": True}
    if item.get("asked_elsewhere"):
        yield {"kind": "asked_elsewhere", "question": item["asked_elsewhere"], "label": False}
    yield {"kind": "right_answer", "question": question, "statement": item["right"], "label": True}
    for wrong in item["wrong"]:
        yield {"kind": "other_answer", "question": question, "statement": wrong, "label": False}
    yield {"kind": "reworded", "statement": item["true"], "label": True}
    yield {"kind": item["kind"], "statement": item["false"], "label": False}


def _look(item: dict[str, Any]) -> LabelledLook:
    passages, label = item["passages"], item["label"]
    question, statement = str(item.get("question", "")), str(item.get("statement", ""))
    if not isinstance(passages, list) or not passages or not isinstance(label, bool) or not (question or statement):
        raise TypeError
    is_of_answer = is_answer(statement, question)
    return LabelledLook(
        kind="evidence" if not statement else "answer" if is_of_answer else "sentence",
        language=str(item.get("language") or ""),
        error=str(item.get("kind", "")),
        passages=tuple(map(str, passages)),
        question=question if not statement or is_of_answer else "",
        statement=statement,
        label=label,
        is_held=item.get("split") == "held",
    )
