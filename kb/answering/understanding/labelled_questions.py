"""The labelled questions that ship: what decides about questions is fitted to some, and measured on the others."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar, get_args

from kb.answering.understanding.decide import Decision
from kb.answering.understanding.form import Form
from kb.values.answers import Operation, QuestionKind

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question of the data file.

    Attributes:
        before: The questions before it, oldest first.
        split: `fit`; `held`, `unseen`, `fresh`, `computed`, `stated` and `listed` are for measuring.
        topics: Of an inventory: what in it says what the documents are about, or where they are.
    """

    question: str
    language: str
    split: str
    decision: Decision
    before: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


def read_questions() -> list[LabelledQuestion]:
    """The labelled questions that ship."""
    written = (files("kb.answering.understanding") / "data" / "questions.jsonl").read_text("utf-8")
    return [labelled(json.loads(line)) for line in written.splitlines()]


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
        decision=decision_of(record),
        before=_texts(record, "before"),
        topics=_texts(record, "topics"),
    )


def decision_of(record: dict[str, object]) -> Decision:
    """Reads the attributes of a decision; those that are not there are as of a lookup.

    Raises:
        ValueError: A label is none of those that there are.
    """
    return Decision(
        leans=bool(record.get("leans", False)),
        refers=bool(record.get("refers", False)),
        several=bool(record.get("several", False)),
        kind=_one_of(get_args(QuestionKind), record.get("kind", "lookup")),
        form=_one_of(get_args(Form), record.get("form", "sentence")),
        operation=_one_of(get_args(Operation), record.get("operation", "none")),
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
