"""Files in the format of SQuAD 1.1 and 2.0: articles with paragraphs, and questions to each paragraph.

Knows nothing of indexing beyond the Markdown that an article becomes. Other sets use the same format: XQuAD, CMRC 2018.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ingest.formats.encoding import clean, normalise_line_ends
from kb.errors import InvalidRequest
from server.measure.eval.files import read_bytes
from server.measure.eval.questions import Question

_FORMAT_HINT = 'the file must look like {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question"}]}]}]}'

_STRUCTURE = re.compile(
    r"^(?P<indent>[ \t]*)(?=\#{1,6}(?:\s|$)|`{3}|~{3}|<[!?]|<(?:script|pre|style|textarea)\b|(?:[-=*_][ \t]*)+$)",
    re.MULTILINE | re.IGNORECASE,
)
"""Lines that would be a heading, a rule or a comment, or would take later paragraphs into a block of theirs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the paragraph that it was written for.

    Attributes:
        place: Numbers of article and paragraph, from 0.
    """

    question: Question
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Article:
    """A text with a title; one document of the test set.

    Attributes:
        title: On one line; empty where there is none.
        paragraphs: As they are written into the document: see `as_markdown`.
    """

    title: str
    paragraphs: tuple[str, ...]

    def as_markdown(self) -> str:
        """The article as a Markdown document."""
        heading = [f"# {self.title}"] if self.title else []
        return "\n\n".join([*heading, *self.paragraphs]) + "\n"


@dataclass(frozen=True, slots=True)
class SquadSet:
    """A test set."""

    articles: tuple[Article, ...]
    asked: tuple[Asked, ...]


class _Lenient(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)


class _AnswerText(_Lenient):
    text: str


class _Entry(_Lenient):
    id: str = ""
    question: str
    answers: list[_AnswerText] = []
    is_impossible: bool = False


class _Paragraph(_Lenient):
    context: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    qas: list[_Entry] = []


class _Article(_Lenient):
    title: str = ""
    paragraphs: list[_Paragraph] = Field(min_length=1)


class _File(_Lenient):
    data: list[_Article] = Field(min_length=1)


def read_squad(path: Path) -> SquadSet:
    """Reads a file; questions without a word are left out.

    Raises:
        InvalidRequest: It is not there, is not in this format, or asks nothing.
    """
    try:
        file = _File.model_validate_json(read_bytes(path).removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        what = "is not JSON" if first["type"] == "json_invalid" else "is not in SQuAD format"
        raise InvalidRequest(f"{path} {what}: {f'{place}: ' if place else ''}{first['msg']}", _FORMAT_HINT) from error
    asked = tuple(_asked(file))
    if not asked:
        raise InvalidRequest(f"{path} holds no questions", 'each paragraph has them in its list "qas"')
    return SquadSet(tuple(map(_article, file.data)), asked)


def exchange_questions(squad: SquadSet, other: SquadSet) -> SquadSet:
    """Takes the questions of another set, for the same paragraphs: by their ids.

    The answers of both sets count as right; what only one of the two asks is left out.

    Raises:
        InvalidRequest: They have no question in common.
    """
    known = {asked.question.id: asked for asked in squad.asked}
    exchanged = tuple(
        replace(ours, question=replace(theirs, answers=tuple(dict.fromkeys(theirs.answers + ours.question.answers))))
        for theirs in (asked.question for asked in other.asked)
        if (ours := known.get(theirs.id))
    )
    if not exchanged:
        raise InvalidRequest(
            "the two files have no question in common", "questions are the same where their ids are the same"
        )
    return replace(squad, asked=exchanged)


def same_paragraphs(articles: Sequence[Article]) -> dict[tuple[int, int], int]:
    """Numbers the different paragraphs of articles: those with the same text have the same number."""
    numbers: dict[str, int] = {}
    return {
        (i, k): numbers.setdefault(" ".join(text.split()), len(numbers))
        for i, article in enumerate(articles)
        for k, text in enumerate(article.paragraphs)
    }


def _article(article: _Article) -> Article:
    return Article(_title(article.title), tuple(_as_prose(paragraph.context) for paragraph in article.paragraphs))


def _asked(file: _File) -> Iterator[Asked]:
    for i, article in enumerate(file.data):
        for k, paragraph in enumerate(article.paragraphs):
            for n, entry in enumerate(paragraph.qas):
                if not entry.question.strip():  # CMRC 2018 has one
                    continue
                answers = tuple(dict.fromkeys(answer.text for answer in entry.answers if answer.text.strip()))
                question = Question(entry.id or f"{i}.{k}.{n}", entry.question, answers, not entry.is_impossible)
                yield Asked(question, (i, k))


def _title(title: str) -> str:
    """The title in words: SQuAD has that of a Wikipedia address, with `_` for blanks and `%27` for signs."""
    one_line = " ".join(clean(title).split())
    return one_line if " " in one_line else " ".join(unquote(one_line).replace("_", " ").split())


def _as_prose(text: str) -> str:
    """The text as it is, but for a backslash before signs that would make it something else than a paragraph."""
    lines = normalise_line_ends(clean(text)).strip()
    return _STRUCTURE.sub(r"\g<indent>\\", lines)
