"""What stands at the start of a Markdown file between two lines, `---` for YAML or `+++` for TOML: title, tags, names.

Pure. What cannot be understood is no error: the notes of a person are read as they are.
"""

import datetime
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace

from ingest.formats.encoding import clean

_YAML = re.compile(r"---[ \t]*\n(?P<values>.*?)(?:(?<=\n)|\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\+\+\+[ \t]*\n(?P<values>.*?)(?:(?<=\n)|\n)\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_MAX_CHARS = 65_536
_KEY_LINE = re.compile(r"\s*(?:#.*\n\s*)*(?:\[|[\w\"'][\w \"'.-]*(?::(?:\s|\Z)|=))")
_ENTRY = re.compile(r"^(?P<key>[^\s#:-][^:\n]*):(?P<value>[ \t]*[^\n]*(?:\n(?:[ \t-][^\n]*|(?=\n)))*)", re.MULTILINE)
_KNOWN_KEYS = {"title", "tags", "date", "aliases", "alias", "author", "authors"} | {
    *("layout", "draft", "weight", "slug", "permalink", "cssclass", "cssclasses", "publish"),  # how, not what
}
_DATE = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands in the front matter.

    Attributes:
        end: Where the document's own text begins, in characters; 0 where there is no front matter.
        title: Empty where there is none.
        names: Aliases, then authors.
        aliases: What else it is called.
        properties: Where all else stands that YAML says about the document: spans of whole lines, in order.
    """

    end: int = 0
    title: str = ""
    tags: tuple[str, ...] = ()
    date: datetime.date | None = None
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    properties: tuple[tuple[int, int], ...] = ()


def read_front_matter(text: str) -> FrontMatter:
    """Reads the front matter of a Markdown text.

    Text between two lines `---` that is no YAML mapping is prose between two rules. Where it looks like front matter
    but is not valid (`title: a: b`), it is passed over.
    """
    for pattern, parse in ((_YAML, _read_yaml), (_TOML, tomllib.loads)):
        if match := pattern.match(text[:_MAX_CHARS]):
            front_matter = _read(match["values"], match.end(), parse)
            properties = _property_spans(match) if pattern is _YAML and front_matter.end else ()
            return replace(front_matter, properties=properties)
    return FrontMatter()


def _read_yaml(content: str) -> object:
    import yaml  # here, because most files have none, and each process that reads files would wait for it

    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError("no YAML") from error


def _read(content: str, end: int, parse: Callable[[str], object]) -> FrontMatter:
    try:
        values = parse(content)
    except (ValueError, TypeError, RecursionError):
        return FrontMatter(end) if _KEY_LINE.match(content) else FrontMatter()
    if not isinstance(values, dict):
        return FrontMatter()
    title = _one_line(values.get("title"))
    aliases = [name for key in ("aliases", "alias") for name in _names(values.get(key)) if name]
    names = [*aliases, *(name for key in ("author", "authors") for name in _names(values.get(key)))]
    return FrontMatter(
        end=end,
        title=title,
        tags=_tags(values.get("tags")),
        date=_date(values.get("date")),
        names=tuple(dict.fromkeys(name for name in names if name and name.casefold() != title.casefold())),
        aliases=tuple(dict.fromkeys(aliases)),
    )


def _property_spans(match: re.Match[str]) -> tuple[tuple[int, int], ...]:
    """Finds what has a value and is known nowhere else; neighbours are joined."""
    offset, spans = match.start("values"), list[tuple[int, int]]()
    for entry in _ENTRY.finditer(match["values"]):
        start, end = offset + entry.start(), offset + entry.start() + len(entry[0].rstrip())
        is_empty = not entry["value"].strip(" \t\n\"'[]{}|>-")
        if is_empty or entry["key"].strip("\"' ").casefold() in _KNOWN_KEYS:
            continue
        if spans and spans[-1][1] + 1 == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return tuple(spans)


def _one_line(value: object) -> str:
    return " ".join(clean(str(value)).split()) if isinstance(value, str | int | float | datetime.date) else ""


def _tags(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split("[,，、]", value) if isinstance(value, str) else []
    return tuple(dict.fromkeys(tag for part in parts if (tag := _one_line(part).lstrip("#"))))


def _names(value: object) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    return [_one_line(part.get("name") if isinstance(part, dict) else part) for part in parts]


def _date(value: object) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, str) and (match := _DATE.match(value.strip())):
        try:
            return datetime.date(*map(int, match.groups()))
        except ValueError:
            return None
    return None
