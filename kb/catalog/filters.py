"""Filters as SQL: which rows of `documents` pass.

Each list travels as JSON in one placeholder, so a statement has the same form whatever its length. Knows the tables;
changes nothing.
"""

import json
import posixpath
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kb.catalog.database import Database
from kb.values.filters import Filters

# Columns are named in full: `json_each` has columns `id` and `root`, too. Paths have a slash at both ends; then one is
# a folder of another if the other begins with it.
_FOLDERS = (
    "(EXISTS (SELECT 1 FROM json_each(?)"
    " WHERE instr(rtrim(documents.root, '/') || '/' || documents.source || '/', value) = 1)"
    " OR EXISTS (SELECT 1 FROM json_each(?) WHERE instr('/' || documents.source || '/', value) = 1))"
)
_TYPES = (
    "EXISTS (SELECT 1 FROM json_each(?) WHERE value IN"
    " (lower(documents.media_type), substr(lower(documents.media_type), instr(documents.media_type, '/') + 1))"
    " OR substr(lower(documents.source), -length(value) - 1) = '.' || value)"
)
_TAGS = "EXISTS (SELECT 1 FROM json_each(documents.tags) WHERE value IN (SELECT value FROM json_each(?)))"
_DATES = "coalesce(documents.date, date(documents.modified_ns / 1000000000, 'unixepoch')) BETWEEN ? AND ?"
_IDS = "documents.id IN (SELECT value FROM json_each(?))"

_FIRST_DAY, _LAST_DAY = "0000-01-01", "9999-12-31"


@dataclass(frozen=True, slots=True)
class Selection:
    """The documents that pass, as a condition on rows of `documents`.

    Attributes:
        sql: May follow WHERE.
        values: Of its placeholders.
    """

    sql: str
    values: tuple[str, ...]

    @property
    def of_chunks(self) -> str:
        """The same as a condition on rows of `chunks`."""
        return f"document_id IN (SELECT id FROM documents WHERE {self.sql})"


def select(database: Database, filters: Filters) -> Selection:
    """Writes filters as a condition; without any, every document passes."""
    parts = [*_parts(database, filters)]
    sql = " AND ".join(part for part, _ in parts)
    return Selection(sql or "TRUE", tuple(value for _, values in parts for value in values))


def _parts(database: Database, filters: Filters) -> Iterator[tuple[str, list[str]]]:
    if filters.document_ids:
        yield _IDS, [_to_json(filters.document_ids)]
    if filters.folders:
        absolute = [folder for folder in filters.folders if folder.startswith("/")]
        below = [folder for folder in filters.folders if not folder.startswith("/")]
        yield _FOLDERS, [_to_json(map(_between_slashes, absolute)), _to_json(map(_between_slashes, below))]
    if filters.types:
        yield _TYPES, [_to_json(name.strip().lower().removeprefix(".") for name in filters.types)]
    if filters.tags:
        yield _TAGS, [_to_json(_spellings(database, filters.tags))]
    if filters.since or filters.until:
        yield _DATES, [str(filters.since or _FIRST_DAY), str(filters.until or _LAST_DAY)]


def _between_slashes(path: str) -> str:
    parts = posixpath.normpath(path).strip("/")
    return "/" if parts in ("", ".") else f"/{parts}/"


def _spellings(database: Database, tags: Iterable[str]) -> list[str]:
    """How the documents write these tags and those below them; SQLite itself would only fold the case of ASCII."""
    wanted = tuple(f"{_folded(tag)}/" for tag in tags)
    written = database.rows("SELECT DISTINCT value FROM documents, json_each(tags)")
    return [row["value"] for row in written if f"{_folded(row['value'])}/".startswith(wanted)]


def _folded(tag: str) -> str:
    return unicodedata.normalize("NFKC", tag).strip().casefold()


def _to_json(values: Iterable[str]) -> str:
    return json.dumps(list(values))
