"""The YAML between two `---` lines at the start of a Markdown file: title, tags and date.

Pure. What cannot be understood is no error: the notes of a person are read as they are.
"""

import datetime
import re
from dataclasses import dataclass

import yaml

from ingest.formats.encoding import clean

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<yaml>.*?)(?:(?<=\n)|\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_MAX_CHARS = 65_536
_KEY_LINE = re.compile(r"\s*(?:#.*\n\s*)*[\w\"'][\w \"'.-]*:(?:\s|\Z)")
_DATE = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands in the front matter.

    Attributes:
        end: Where the document's own text begins, in characters; 0 where there is no front matter.
        title: Empty where there is none.
    """

    end: int = 0
    title: str = ""
    tags: tuple[str, ...] = ()
    date: datetime.date | None = None


def read_front_matter(text: str) -> FrontMatter:
    """Reads the front matter of a Markdown text.

    Text between two lines `---` that is no YAML mapping is prose between two rules. Where it looks like front matter
    but is not valid YAML (`title: a: b`), it is passed over.
    """
    match = _FRONT_MATTER.match(text[:_MAX_CHARS])
    if not match:
        return FrontMatter()
    try:
        values = yaml.safe_load(match["yaml"])
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return FrontMatter(end=match.end()) if _KEY_LINE.match(match["yaml"]) else FrontMatter()
    if not isinstance(values, dict):
        return FrontMatter()
    return FrontMatter(
        end=match.end(),
        title=_one_line(values.get("title")),
        tags=_tags(values.get("tags")),
        date=_date(values.get("date")),
    )


def _one_line(value: object) -> str:
    return " ".join(clean(str(value)).split()) if isinstance(value, str | int | float | datetime.date) else ""


def _tags(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split("[,，、]", value) if isinstance(value, str) else []
    return tuple(dict.fromkeys(tag for part in parts if (tag := _one_line(part).lstrip("#"))))


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
