"""Labelled statements: those that ship with the service, or a file of the same forms."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from kb.errors import InvalidRequest

_DATA = files("kb.judging") / "data"
SHIPPED = tuple(Path(str(_DATA / name)) for name in ("supported.jsonl", "groups.jsonl"))
_OF_ALL = ("language", "split")


@dataclass(frozen=True, slots=True)
class LabelledStatement:
    """A statement, and whether passages bear it out.

    Attributes:
        kind: Of truth or of error.
        is_held: Whether it was kept apart from what is fitted.
    """

    language: str
    kind: str
    question: str
    passages: tuple[str, ...]
    statement: str
    label: bool
    is_held: bool


def shipped_statements() -> list[LabelledStatement]:
    """All that ship."""
    return [each for path in SHIPPED for each in read_statements(path)]


def read_statements(path: Path) -> list[LabelledStatement]:
    """Reads a file of one JSON object a line: a statement, or a group of them on one passage.

    Raises:
        InvalidRequest: It cannot be read, or a line is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}", "give a file of JSON lines in UTF-8") from error
    found: list[LabelledStatement] = []
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                item = json.loads(line)
                found += _of_group(item) if "passage" in item else [_statement(item)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidRequest(
                f"line {number} of {path} is no labelled statement",
                'write {"passages": ["…"], "statement": "…", "label": true}, one a line',
            ) from error
    return found


def _statement(item: dict[str, Any]) -> LabelledStatement:
    passages, label = item["passages"], item["label"]
    if not isinstance(passages, list) or not passages or not isinstance(label, bool):
        raise TypeError
    return LabelledStatement(
        language=str(item.get("language") or ""),
        kind=str(item.get("kind", "")),
        question=str(item.get("question", "")),
        passages=tuple(map(str, passages)),
        statement=str(item["statement"]),
        label=label,
        is_held=item.get("split") == "held",
    )


def _of_group(item: dict[str, Any]) -> Iterator[LabelledStatement]:
    """A right and some wrong answers to its question, and a sentence that is true beside one that is not."""
    labelled: list[tuple[str, str, str, bool]] = [
        ("right_answer", item["question"], item["right"], True),
        *(("other_answer", item["question"], wrong, False) for wrong in item["wrong"]),
        ("reworded", "", item["true"], True),
        (item["kind"], "", item["false"], False),
    ]
    for kind, question, statement, label in labelled:
        each = {"kind": kind, "question": question, "statement": statement, "label": label}
        yield _statement({**each, "passages": [item["passage"]], **{key: item.get(key) for key in _OF_ALL}})
