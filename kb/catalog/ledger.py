"""What the catalog knows beside documents: failures, watched folders, the index record, and some counters.

Counters only grow. A wish of the user, such as a new index, adds to one; whoever fulfils it notes up to which number
it is done. So no wish is lost or fulfilled twice, whenever the process ends.
"""

import datetime
from collections.abc import Sequence
from typing import Literal

from kb.catalog.database import Connection, Database, Row
from kb.catalog.index_record import IndexRecord
from kb.values.documents import Failure, FailureKind, FileVersion, WatchedFolder

Counter = Literal["forgotten", "purged", "renewals", "revision", "dead_vectors"]
"""Documents that the user wanted gone; how many of these were purged from the catalog; renewals of the index asked for;
revision of the embeddings; vectors deleted from the index that answers since it was made."""

SAME_VERSION = (
    "size_bytes = :size_bytes AND modified_ns = :modified_ns"
    " AND (changed_ns = :changed_ns OR changed_ns = 0 OR :changed_ns = 0)"
)
"""SQL: the row is of the same version of the file; a time of change that was not noted differs from none."""


class Ledger:
    """Reads and writes the tables `failures`, `folders` and `facts`.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Failures

    def record_failure(
        self,
        file: FileVersion,
        reason: str,
        hint: str,
        kind: FailureKind = FailureKind.UNREADABLE,
        next_try_at: datetime.datetime | None = None,
    ) -> None:
        """Notes why a file is not indexed; the same version again counts as one more attempt.

        What the user wanted gone stays so, whatever else becomes of this version of the file.
        """
        with self._database.transaction() as connection:
            write_failure(connection, file, reason, hint, kind, next_try_at)

    def clear_failure(self, root: str, source: str) -> None:
        """Forgets that a file failed."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM failures WHERE root = ? AND source = ?", (root, source))

    def retry_failures(self) -> int:
        """Forgets all failures, but not what the user wanted gone.

        Returns:
            How many.
        """
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM failures WHERE kind <> ?", (FailureKind.FORGOTTEN,)).rowcount

    def failures(self) -> list[Failure]:
        """All files that could not be indexed, ordered by folder and path."""
        return [_failure(row) for row in self._database.rows("SELECT * FROM failures ORDER BY root, source")]

    def failure_count(self) -> int:
        """How many files could not be indexed; what the user wanted gone is not counted."""
        sql = "SELECT count(*) AS n FROM failures WHERE kind <> ?"
        return int(self._database.rows(sql, FailureKind.FORGOTTEN)[0]["n"])

    def next_try_at(self) -> datetime.datetime | None:
        """When the first of the failures is to be tried again; None: none is."""
        soonest = self._database.rows("SELECT min(next_try_at) AS soonest FROM failures")[0]["soonest"]
        return datetime.datetime.fromisoformat(soonest) if soonest else None

    # Folders

    def folders(self) -> list[WatchedFolder]:
        """The folders that were watched when the service last ran, in the order in which they were given."""
        rows = self._database.rows("SELECT root, device FROM folders ORDER BY ordinal, root")
        return [WatchedFolder(row["root"], row["device"]) for row in rows]

    def remember_folders(self, folders: Sequence[WatchedFolder]) -> None:
        """Notes which folders are watched; of one that is named twice, the first counts."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM folders")
            connection.executemany(
                "INSERT OR IGNORE INTO folders (root, device, ordinal) VALUES (?, ?, ?)",
                [(folder.root, folder.device, ordinal) for ordinal, folder in enumerate(folders)],
            )

    def move_folder(self, old: str, new: str) -> bool:
        """Notes that a folder, with all that is in it, stands elsewhere now.

        Returns:
            Whether it is known.
        """
        with self._database.transaction() as connection:
            tables = ("documents", "failures", "folders")
            moved = [connection.execute(f"UPDATE {table} SET root = ? WHERE root = ?", (new, old)) for table in tables]
            connection.execute("UPDATE folders SET device = NULL WHERE root = ?", (new,))
            return any(cursor.rowcount for cursor in moved)

    # Facts

    def last_sync(self) -> datetime.datetime | None:
        """When the index last equalled the folders."""
        value = self._fact("last_sync")
        return datetime.datetime.fromisoformat(value) if value else None

    def note_sync(self) -> None:
        """Notes that the index equals the folders now."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('last_sync', ?)", (now(),))

    def index_record(self) -> IndexRecord | None:
        """The index that answers; None before there was one."""
        value = self._fact("index")
        return IndexRecord.from_json(value) if value else None

    def set_index(self, record: IndexRecord, dead_vectors: int = 0) -> None:
        """Makes an index the one that answers: the commit point of building it.

        Args:
            dead_vectors: Deleted from it already, if it is another one than before.
        """
        before = self.index_record()
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('index', ?)", (record.to_json(),))
            if before is None or before.generation != record.generation:
                connection.execute("DELETE FROM facts WHERE name = 'dead_vectors'")
                add_to_counter(connection, "dead_vectors", dead_vectors)

    def count(self, counter: Counter) -> int:
        """The state of a counter."""
        return int(self._fact(counter) or 0)

    def add(self, counter: Counter, number: int = 1) -> None:
        """Adds to a counter."""
        with self._database.transaction() as connection:
            add_to_counter(connection, counter, number)

    def _fact(self, name: str) -> str | None:
        rows = self._database.rows("SELECT value FROM facts WHERE name = ?", name)
        return next((str(row["value"]) for row in rows), None)


def add_to_counter(connection: Connection, counter: Counter, number: int) -> None:
    """Adds to a counter, as part of a transaction."""
    connection.execute(
        "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
        (counter, str(number)),
    )


def write_failure(
    connection: Connection,
    file: FileVersion,
    reason: str,
    hint: str,
    kind: FailureKind,
    next_try_at: datetime.datetime | None = None,
) -> None:
    """Notes why a file is not indexed, as part of a transaction. See `Ledger.record_failure`."""
    same = SAME_VERSION.replace(":", "excluded.")
    columns = {
        **file_columns(file),
        "reason": reason,
        "hint": hint,
        "attempts": 1,
        "failed_at": now(),
        "kind": kind,
        "next_try_at": next_try_at.isoformat() if next_try_at else None,
    }
    # A plain column name is ambiguous beside excluded's in no place of an upsert: it means the row that is there.
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in ("root", "source", "attempts"))
    connection.execute(
        f"INSERT INTO failures ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT DO UPDATE SET attempts = 1 + attempts * ({same}), {updates}"
        f" WHERE kind <> '{FailureKind.FORGOTTEN}' OR excluded.kind = kind OR NOT ({same})",
        tuple(columns.values()),
    )


def file_columns(file: FileVersion) -> dict[str, object]:
    """A file's version, by the names of the columns in which it is kept."""
    return {
        "root": file.root,
        "source": file.source,
        "size_bytes": file.size_bytes,
        "modified_ns": file.modified_ns,
        "sha256": file.sha256,
        "changed_ns": file.changed_ns,
    }


def file_version(row: Row) -> FileVersion:
    """Reads what `file_columns` named."""
    return FileVersion(
        row["root"], row["source"], row["size_bytes"], row["modified_ns"], row["sha256"], row["changed_ns"]
    )


def now() -> str:
    """The time, as the catalog keeps it."""
    return datetime.datetime.now(datetime.UTC).isoformat()


def _failure(row: Row) -> Failure:
    return Failure(
        file=file_version(row),
        reason=row["reason"],
        hint=row["hint"],
        attempts=row["attempts"],
        failed_at=datetime.datetime.fromisoformat(row["failed_at"]),
        kind=FailureKind(row["kind"]),
        next_try_at=datetime.datetime.fromisoformat(row["next_try_at"]) if row["next_try_at"] else None,
    )
