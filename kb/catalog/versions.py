"""Which documents are versions of one: copies that a conflict of two machines, or a second saving, left in a folder.

The one whose file was written last answers, and names the others. What is a copy is told by `kb.text.copies`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

from kb.catalog.database import Database, Row
from kb.catalog.filters import select
from kb.text.copies import are_versions, copy_name
from kb.text.terms import search_terms
from kb.values.filters import EVERYTHING, Filters

_COMPARED_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Versions:
    """The documents that stand back for a newer version of themselves.

    Attributes:
        newest: Id of the newest version, by that of an older one.
        older: Paths of the older versions, by id of the newest.
    """

    newest: Mapping[str, str] = field(default_factory=dict)
    older: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class VersionStore:
    """Reads names, times and where need be texts of a catalog; knows the answer until documents change.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[object, Sequence[Sequence[Row]]] | None = None
        self._are_versions = lru_cache(maxsize=1024)(self._compare)

    def among(self, filters: Filters = EVERYTHING) -> Versions:
        """The versions among the documents that pass: an older one answers where the newest may not."""
        groups = self._groups()
        if groups and filters:
            documents = select(self._database, filters)
            rows = self._database.rows(f"SELECT id FROM documents WHERE {documents.sql}", *documents.values)
            passing = {row["id"] for row in rows}
            groups = [[row for row in group if row["id"] in passing] for group in groups]
        newest: dict[str, str] = {}
        older: dict[str, tuple[str, ...]] = {}
        for group in filter(None, groups):
            first, *others = sorted(group, key=lambda row: -int(row["modified_ns"]))
            if others:
                newest |= {row["id"]: first["id"] for row in others}
                older[first["id"]] = tuple(row["source"] for row in others)
        return Versions(newest, older)

    def _groups(self) -> Sequence[Sequence[Row]]:
        state = (self._database.commits, self._database.rows("SELECT max(id) FROM chunks")[0][0])
        if self._known is None or self._known[0] != state:
            self._known = state, list(self._find())
        return self._known[1]

    def _find(self) -> Iterator[list[Row]]:
        rows = self._database.rows("SELECT id, root, source, modified_ns FROM documents")  # all of it is in an index
        copies = [(row, name) for row in rows if (name := copy_name(row["source"]))]
        if not copies:
            return
        places = {(row["root"], row["source"]): row for row in rows}
        copies.sort(key=lambda copy: (copy[0]["root"], copy[1].original))
        for place, group in groupby(copies, key=lambda copy: (copy[0]["root"], copy[1].original)):
            members = list(group)
            original = places.get(place) or members[0][0]
            found = [
                row
                for row, name in members
                if row is not original and (name.is_certain or self._say_the_same(row["id"], original["id"]))
            ]
            if found and (place in places or members[0][1].is_certain):
                yield [original, *found]

    def _say_the_same(self, *document_ids: str) -> bool:
        rows = self._database.rows_in("SELECT sha256 FROM documents WHERE id IN ({marks})", document_ids)
        hashes = sorted(str(row["sha256"]) for row in rows)
        return len(hashes) == len(document_ids) and self._are_versions(*hashes)

    def _compare(self, one: str, other: str) -> bool:
        sql = f"SELECT substr(text, 1, {_COMPARED_CHARS}) AS part FROM documents WHERE sha256 = ? LIMIT 1"
        words = [search_terms(row["part"]) for sha256 in (one, other) for row in self._database.rows(sql, sha256)]
        return len(words) == 2 and are_versions(*words)
