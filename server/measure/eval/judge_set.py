"""Labelled statements: those that ship with the service, or a file of the same form."""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from kb.errors import InvalidRequest

SHIPPED = Path(str(files("kb.judging") / "data" / "supported.jsonl"))


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


def read_statements(path: Path) -> list[LabelledStatement]:
    """Reads a file of one JSON object a line.

    Raises:
        InvalidRequest: It cannot be read, or a line is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}", "give a file of JSON lines in UTF-8") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                found.append(_statement(json.loads(line)))
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
        language=str(item.get("language", "")),
        kind=str(item.get("kind", "")),
        question=str(item.get("question", "")),
        passages=tuple(map(str, passages)),
        statement=str(item["statement"]),
        label=label,
        is_held=item.get("split") == "held",
    )
