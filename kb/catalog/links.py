"""Links between documents: kept as they are written, and followed when somebody asks.

So a link leads to a document that comes later, follows it when it is renamed, and leads nowhere when it is gone. As
Obsidian does it: a path from the document or from its watched folder, the end of a path, a name alone (of the
document that lies nearest to the top), an alias.
"""

import posixpath
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from kb.catalog.database import Connection, Database, Row
from kb.values.documents import Document
from kb.values.links import Link, Linked

_MARKDOWN = (".md", ".markdown")
_LINKS = (
    "SELECT start_char, end_char, target, fragment, is_embed, is_path, name, documents.id, root, source, title"
    " FROM links JOIN documents ON documents.id = document_id"
)
_NAMED = (
    "SELECT name, is_alias, documents.id, root, source, title FROM link_names"
    " JOIN documents ON documents.id = document_id WHERE name IN ({marks})"
)


def link_name(target: str) -> str:
    """By what a link's document is looked up: the last part of a path, whatever its case, without `.md`."""
    name = unicodedata.normalize("NFC", target.rstrip("/").rpartition("/")[2]).casefold().strip()
    return next((name.removesuffix(ending) for ending in _MARKDOWN if name.endswith(ending)), name)


class LinkStore:
    """Reads the tables `links` and `link_names`.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def outgoing(self, document_id: str) -> list[Linked]:
        """The links in a document, in order, and where they lead now; none for a document that is not there."""
        with self._database.snapshot():
            links = self._database.rows(f"{_LINKS} WHERE document_id = ? ORDER BY start_char", document_id)
            named = self._named(links)
        targets = (_target(link, named) for link in links)
        return [_linked(link, target.row if target else None) for link, target in zip(links, targets, strict=True)]

    def incoming(self, document_id: str) -> list[Linked]:
        """The links in other documents that lead to one now, by folder and path, and in which they stand."""
        names = "SELECT name FROM link_names WHERE document_id = ?1"
        sql = f"{_LINKS} WHERE name IN ({names}) AND document_id <> ?1 ORDER BY root, source, start_char"
        with self._database.snapshot():
            links = self._database.rows(sql, document_id)
            named = self._named(links)
        targets = (_target(link, named) for link in links)
        return [
            _linked(link, link)
            for link, target in zip(links, targets, strict=True)
            if target and target.row["id"] == document_id
        ]

    def _named(self, links: Iterable[Row]) -> "dict[str, _Named]":
        names = {str(link["name"]) for link in links}
        rows = sorted(self._database.rows_in(_NAMED, list(names)), key=lambda row: str(row["name"]))
        return {name: _Named(group) for name, group in groupby(rows, key=lambda row: str(row["name"]))}


def write_links(connection: Connection, document_id: str, document: Document) -> None:
    """Notes the links of a document that is new, and what others may call it beside the name of its file."""
    connection.executemany(
        "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(document_id, link.start, link.end, link.target, link.fragment),
                *(link.is_embed, link.is_path, link_name(link.target)),
            )
            for link in document.links
        ],
    )
    titles = (document.title,) if document.has_own_title else ()
    aliases = {link_name(name.replace("/", " ")) for name in (*document.aliases, *titles)}
    connection.executemany("INSERT INTO link_names VALUES (?, ?, 1)", [(name, document_id) for name in aliases])


def write_file_name(connection: Connection, document_id: str, source: str) -> None:
    """Notes what the file of a document is called now."""
    connection.execute("DELETE FROM link_names WHERE document_id = ? AND is_alias = 0", (document_id,))
    connection.execute("INSERT INTO link_names VALUES (?, ?, 0)", (link_name(source), document_id))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document of some name; `path` is written as links are compared, `""` for a name that is no file's."""

    path: str
    row: Row


class _Named:
    """The documents of one name: those whose files are called so, nearest to the top first; then the others."""

    def __init__(self, rows: Iterable[Row]) -> None:
        candidates = [_Candidate("" if row["is_alias"] else _comparable(row["source"]), row) for row in rows]
        candidates.sort(
            key=lambda each: (each.row["is_alias"], each.path.count("/"), each.row["source"], each.row["root"])
        )
        self._candidates = candidates
        self._places = {(each.row["root"], each.path): each for each in reversed(candidates) if each.path}
        self._anywhere = cache(self._find_anywhere)  # what thousands of notes link to is looked for once

    def find(self, target: str, root: str, source: str, *, is_path: bool) -> _Candidate | None:
        """The document that a link means.

        Args:
            root: With `source`, where the document is in which the link stands.
        """
        path = _comparable(target)
        from_here = posixpath.normpath(posixpath.join("/", posixpath.dirname(_comparable(source)), path))
        for place in (from_here, posixpath.normpath(posixpath.join("/", path))):
            if found := self._places.get((root, place.lstrip("/"))):
                return found
        return self._anywhere("/" + path.lstrip("./"), root, is_path)

    def _find_anywhere(self, end: str, root: str, is_path: bool) -> _Candidate | None:
        fitting = (each for each in self._candidates if _fits(each, end, is_path=is_path))
        return min(fitting, key=lambda each: (not each.path, each.row["root"] != root), default=None)


def _fits(candidate: _Candidate, end: str, *, is_path: bool) -> bool:
    if candidate.path:
        return f"/{candidate.path}".endswith(end)
    return not is_path and "/" not in end[1:]


def _target(link: Row, named: dict[str, _Named]) -> _Candidate | None:
    documents = named.get(link["name"])
    found = documents and documents.find(link["target"], link["root"], link["source"], is_path=bool(link["is_path"]))
    return found or None


def _comparable(path: str) -> str:
    """A path as paths are compared: whatever its case, without `.md`."""
    folder, slash, _ = path.rstrip("/").rpartition("/")
    return f"{unicodedata.normalize('NFC', folder).casefold()}{slash}{link_name(path)}"


def _linked(link: Row, end: Row | None) -> Linked:
    written = Link(
        *(link["start_char"], link["end_char"], link["target"], link["fragment"]),
        is_embed=bool(link["is_embed"]),
        is_path=bool(link["is_path"]),
    )
    return Linked(written, end["id"], end["title"], end["source"]) if end else Linked(written)
