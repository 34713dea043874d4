"""Questions about files of a folder, from a table: a CSV file, or a file with one JSON object a line.

Knows nothing of what is in the files: a row names them by patterns.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.formats.encoding import decode
from kb.errors import InvalidRequest, UnreadableFile
from server.measure.eval.files import read_bytes

_COLUMNS = {
    "question": ("question", "query", "问题"),
    "document": (
        "document",
        "file",
        "source",
        "document name",
        "file name",
        "filename",
        "source doc",
        "source document",
        "文档",
        "文件",
    ),
    "page": ("page", "page number", "页码", "页"),
    "answer": ("answer", "expected answer", "reference answer", "答案"),
}
_LINES_OF_JSON = (".jsonl", ".ndjson")
_DELIMITERS = ",;\t"
_PAGES = re.compile(r"(\d+)(?:-(\d+))?")
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One question of the table.

    Attributes:
        number: Of the row, from 1, without the head.
        patterns: Of the files that hold the answer; any of them counts.
        pages: On any of which the answer stands; empty where none is named.
        answer: Empty where none is given.
    """

    number: int
    question: str
    patterns: tuple[str, ...]
    pages: tuple[int, ...] = ()
    answer: str = ""

    def matches(self, sources: Iterable[str]) -> list[str]:
        """Those of some files that are expected.

        A pattern is compared with the name without extension, the name and the whole path; case does not matter.

        Args:
            sources: Paths below the folder, with `/` between the parts.
        """
        return [source for source in sources if any(_matches(pattern, source) for pattern in self.patterns)]


def read_rows(path: Path) -> list[Row]:
    """Reads a table of questions.

    Columns are known by their names, in any case: question; document, file or source (patterns with `*` and `?`,
    several with `;` between them); and as far as there are any page (`12`, `12-14`, `3; 5`) and answer.

    Raises:
        InvalidRequest: The file is not there, is not such a table, or asks nothing.
    """
    try:
        text = decode(read_bytes(path))
    except UnreadableFile as error:
        raise InvalidRequest(f"{path}: {error.message}", "the questions are a CSV or JSON Lines file") from error
    records = _json_records(path, text) if path.suffix.lower() in _LINES_OF_JSON else _csv_records(path, text)
    rows = [_row(path, number, record) for number, record in enumerate(records, start=1) if any(record.values())]
    if not rows:
        raise InvalidRequest(f"{path} holds no questions", "each row is a question and the file that answers it")
    return rows


def _csv_records(path: Path, text: str) -> Iterator[dict[str, Any]]:
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=head.count))
    try:
        names = [_column(name) for name in next(reader, [])]
        _check_columns(path, names)
        for values in reader:
            yield _known(zip(names, values, strict=False))
    except csv.Error as error:
        raise InvalidRequest(f"{path} is not CSV: line {reader.line_num}: {error}", "save it as CSV again") from error


def _json_records(path: Path, text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise InvalidRequest(f"{path}: line {number} is not JSON", "each line is one JSON object") from error
        if not isinstance(value, dict):
            raise InvalidRequest(f"{path}: line {number} is not a JSON object", 'such as {"question": …, "file": …}')
        record = _known((_column(name), field) for name, field in value.items())
        _check_columns(path, record)
        yield record


def _known(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if name}


def _column(name: str) -> str:
    """What a column holds, or nothing where its name is not known; plurals count."""
    words = " ".join(re.sub(r"[_\W]+", " ", unicodedata.normalize("NFKC", name).casefold()).split())
    return next(
        (kind for kind, names in _COLUMNS.items() if words in names or words.removesuffix("s").rstrip() in names), ""
    )


def _check_columns(path: Path, names: Iterable[str]) -> None:
    missing = [name for name in ("question", "document") if name not in set(names)]
    if missing:
        known = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in _COLUMNS.items())
        raise InvalidRequest(f"{path} has no column for the {missing[0]}", f"columns that are known: {known}")


def _row(path: Path, number: int, record: Mapping[str, Any]) -> Row:
    question = _text(record.get("question"))
    patterns = tuple(part for value in _list(record.get("document")) for part in _split(value))
    if not question or not patterns:
        lacks = "question" if not question else "document"
        raise InvalidRequest(f"{path}: row {number} has no {lacks}", "each row is a question and its document")
    try:
        pages = tuple(page for value in _list(record.get("page")) for page in _pages(_text(value)))
    except ValueError as error:
        raise InvalidRequest(f"{path}: row {number}: {error}", "write pages as 12, 12-14 or 3; 5") from error
    return Row(number, question, patterns, pages, _text(record.get("answer")))


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _split(value: Any) -> list[str]:
    return [part for piece in re.split(r"[;\n]", _text(value)) if (part := piece.strip())]


def _pages(text: str) -> Iterator[int]:
    for piece in re.split(r"[;,，、\s]+", re.sub(r"\s*[-–—]\s*", "-", text)):
        if not piece:
            continue
        match = _PAGES.fullmatch(piece)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 0 < first <= last < _MOST_PAGES:
            raise ValueError(f"{piece!r} is not a page")
        yield from range(first, last + 1)


def _matches(pattern: str, source: str) -> bool:
    path = PurePosixPath(source)
    wanted = _folded(pattern)
    return any(wanted == name or fnmatchcase(name, wanted) for name in map(_folded, (path.stem, path.name, source)))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
