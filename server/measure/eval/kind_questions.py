"""Questions of all kinds about a folder of documents, and whether an answer is the right one. Pure but for reading.

A set has one JSON object a line: `question`, `kind`, and if known `language`, `group` (what its score is shown under),
`scope` (`folders`, `types`, `tags`), `values` (each must stand in the answer), `documents` (each must be cited or
listed), `items` (each should stand in the answer). A value or an item is a text, or a list of ways to write it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from kb.errors import InvalidRequest
from kb.text.scripts import in_one_writing
from kb.values.answers import Answer, QuestionKind
from kb.values.filters import EVERYTHING, Filters

DISAGREEMENT = "disagreement"
"""The group whose kind is right if the answer says that documents disagree."""

LEAST_RECALL = 0.9
"""An answer with fewer of the items is wrong."""

Ways = tuple[str, ...]

_SHIPPED = "data/sample_kinds.jsonl"
_BETWEEN_FIGURES = re.compile(r"(?<=\d),(?=\d{3})")
_HEAD = re.compile(r"^\s*\|.*\n(?=\s*\|[\s|:-]+$)", re.MULTILINE)
_CONTEXT = re.compile(r"(?<=.)\|.*")
_LISTED = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)、]|\|(?![\s|:-]*$))\s*\S.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class KindQuestion:
    """A question, and what is right. See the head of this module."""

    question: str
    group: str
    kind: QuestionKind
    language: str = ""
    scope: Filters = EVERYTHING
    values: tuple[Ways, ...] = ()
    documents: tuple[str, ...] = ()
    items: tuple[Ways, ...] = ()


@dataclass(frozen=True, slots=True)
class Graded:
    """How an answer did.

    Attributes:
        recall: Of items, or of the documents of an inventory; None: there are none to be found.
        precision: Share of what is listed that is right; None: nothing is listed.
    """

    has_right_kind: bool
    is_right: bool
    recall: float | None = None
    precision: float | None = None


def read_kind_questions(path: Path | None) -> list[KindQuestion]:
    """Reads a set.

    Args:
        path: None: the one that ships, about `sample_docs`.

    Raises:
        InvalidRequest: It cannot be read, or a line is no such question.
    """
    source = path or files(__package__).joinpath(_SHIPPED)
    try:
        lines = source.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}", "give a file of JSON lines in UTF-8") from error
    return [_read(str(source), number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def grade(asked: KindQuestion, answer: Answer) -> Graded:
    """Holds an answer against what is right."""
    text = _folded(answer.answer)
    named = {citation.source for citation in answer.citations} | {each.file.source for each in answer.documents}
    has_kind = bool(answer.disagreement) if asked.group == DISAGREEMENT else answer.kind == asked.kind
    recall, precision = _listing(asked, answer, text)
    documents = named.issuperset if asked.group in (DISAGREEMENT, "inventory") else named.intersection
    is_right = (
        answer.answerable
        and all(_holds(text, ways) for ways in asked.values)
        and (not asked.documents or bool(documents(asked.documents)))
        and (recall is None or recall >= LEAST_RECALL)
    )
    return Graded(has_kind, is_right, recall, precision)


def _listing(asked: KindQuestion, answer: Answer, text: str) -> tuple[float | None, float | None]:
    if asked.kind == "inventory" and asked.documents:
        listed = {each.file.source for each in answer.documents}
        both = len(listed.intersection(asked.documents))
        return both / len(asked.documents), both / len(listed) if listed else None
    if not asked.items:
        return None, None
    lines = [_folded(_CONTEXT.sub("", line.strip())) for line in _LISTED.findall(_HEAD.sub("", answer.answer))]
    right = sum(any(_holds(line, ways) for ways in asked.items) for line in lines)
    held = sum(_holds("\n".join(lines) or text, ways) for ways in asked.items)
    return held / len(asked.items), right / len(lines) if lines else None


def _holds(text: str, ways: Iterable[str]) -> bool:
    """Whether one of several ways to write something stands in a text; figures not as a part of others."""
    return any(re.search(rf"(?<![\d.]){re.escape(_folded(way))}(?!\d|\.\d)", text) for way in ways)


def _folded(text: str) -> str:
    return _BETWEEN_FIGURES.sub("", " ".join(in_one_writing(text).casefold().split()))


def _read(source: str, number: int, line: str) -> KindQuestion:
    try:
        record = json.loads(line)
        kind = record["kind"]
        if kind not in get_args(QuestionKind):
            raise ValueError(f"{kind!r} is none of {', '.join(get_args(QuestionKind))}")
        return KindQuestion(
            question=record["question"],
            group=record.get("group", kind),
            kind=kind,
            language=record.get("language", ""),
            scope=_filters(record.get("scope", {})),
            values=_all_ways(record.get("values", ())),
            documents=tuple(record.get("documents", ())),
            items=_all_ways(record.get("items", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRequest(
            f"line {number} of {source} is no question with what is right: {error}",
            'write {"question": "…", "kind": "parts", "values": ["3.7"], "documents": ["a.pdf"]}, one a line',
        ) from error


def _filters(scope: Mapping[str, Sequence[str]]) -> Filters:
    folders, types, tags = (tuple(scope.get(name, ())) for name in ("folders", "types", "tags"))
    return Filters(folders=folders, types=types, tags=tags)


def _all_ways(values: Sequence[Any]) -> tuple[Ways, ...]:
    return tuple((value,) if isinstance(value, str) else tuple(value) for value in values)
