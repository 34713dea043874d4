"""One SQLite file, shared by threads. Sole importer of sqlite3; knows no table.

Every read borrows a connection of its own, so readers never wait; writers take turns. What is deleted is overwritten.
SQLite's errors leave as `StorageError`.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from kb.errors import SchemaMismatch, StorageError

Row = sqlite3.Row
Connection = sqlite3.Connection

CHECKPOINT_PATIENCE_SECONDS = 1.0
"""How long a checkpoint waits for readers; until the next one, what they read stays in the write-ahead log."""

MADE_ANEW = "stop the service, remove that file, and start again with your folders named: it is made anew from them"
"""What to do about a catalog that is damaged, or none at all."""

_BUSY_SECONDS = 30.0
_VARIABLES_PER_QUERY = 500
# The last byte of an error is its kind; these say nothing about what is in the file. https://www.sqlite.org/rescode.html
_KIND = 0xFF
_NOT_OF_THE_FILE = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_MISUSE,
}
_INCREMENTAL = 2  # https://www.sqlite.org/pragma.html#pragma_auto_vacuum

# Counts only before the first page is written, or a VACUUM; else it does nothing, but waits for whoever writes.
_ON_MAKING = "PRAGMA auto_vacuum = INCREMENTAL"
_ON_OPENING = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -32768;
"""


class Database:
    """Connections to one SQLite file.

    Args:
        path: Made if it is not there.
        schema: SQL that makes the tables of a new file.
        version: Of the schema; a file with a higher one is refused.
        migrations: SQL that leads from a version to the next one.

    Attributes:
        commits: How many transactions have ended well.

    Raises:
        SchemaMismatch: The file was written by a newer version.
        StorageError: The file is damaged or not accessible.
    """

    def __init__(
        self, path: Path, schema: str, version: int, migrations: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        self._path = path
        self._idle: list[Connection] = []
        self._closed = False
        self.commits = 0
        self._snapshot = threading.local()
        self._write_lock = threading.Lock()
        with suppress(OSError):
            path.touch(0o600, exist_ok=False)  # SQLite takes this mode for the log, too
        with self._translated():
            self._prepare(schema, version, migrations)

    def close(self) -> None:
        """Closes the file for good; connections in use are closed when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads of this thread inside the block see one state of the file."""
        with self._translated(), self._borrowed() as connection:
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            self._snapshot.connection = connection
            try:
                yield
            finally:
                self._snapshot.connection = None
                connection.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All writes over the connection happen, or none."""
        with self._write_lock, self._translated(), self._borrowed() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
                self.commits += 1
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Reads all rows of a query."""
        with self._translated(), self._borrowed() as connection:
            return connection.execute(sql, values).fetchall()

    def rows_in(self, sql: str, values: Sequence[object], *before: object) -> Iterator[Row]:
        """Reads the rows of a query with a list of any length.

        Args:
            sql: Has `{marks}` where the list's placeholders belong.
            values: The list.
            before: Values of the placeholders before it.
        """
        for i in range(0, len(values), _VARIABLES_PER_QUERY):
            batch = values[i : i + _VARIABLES_PER_QUERY]
            yield from self.rows(sql.format(marks=", ".join("?" * len(batch))), *before, *batch)

    def checkpoint(self) -> bool:
        """Writes the log into the file and empties it.

        Returns:
            Whether that was done; a reader may be in the way.
        """
        with self._write_lock, self._translated(), self._borrowed() as connection:
            connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_PATIENCE_SECONDS * 1000:.0f}")
            try:
                return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")

    def vacuum(self) -> None:
        """Writes the whole file anew: of what was deleted, nothing is left in the gaps of its pages."""
        with self._write_lock, self._translated(), self._borrowed() as connection:
            connection.execute("VACUUM")

    def free_share(self) -> float:
        """The share of the file's pages that hold nothing, in 0…1."""
        free, pages = (self.rows(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_count"))
        return float(free / pages)

    def give_back(self, pages: int) -> None:
        """Makes the file smaller by pages that hold nothing."""
        with self._write_lock, self._translated(), self._borrowed() as connection:
            # It takes a step for each page; `execute` would take only the first, as it gives no rows.
            connection.executescript(f"PRAGMA incremental_vacuum({pages});")

    def _prepare(self, schema: str, version: int, migrations: Mapping[int, str]) -> None:
        with closing(
            sqlite3.connect(self._path)
        ) as connection:  # one that changes nothing, not even the journal's mode
            found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise SchemaMismatch(
                f"{self._path} was written by a newer r1-kb (schema {found}, this one reads {version})",
                f"update r1-kb, or point KB_HOME at another folder; else {MADE_ANEW}",
            )
        with self._borrowed() as connection:
            is_filled = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if found < 0 or (found == 0 and is_filled):
                raise StorageError(f"{self._path} is not a catalog of r1-kb", MADE_ANEW)
            if found == 0:
                _upgrade(connection, schema, version)
            else:
                for older in range(found, version):
                    _upgrade(connection, migrations[older], older + 1)
            if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
                connection.execute(_ON_MAKING)
                connection.execute("VACUUM")  # gives a file of an older version the setting that new ones begin with

    @contextmanager
    def _borrowed(self) -> Iterator[Connection]:
        inside_snapshot: Connection | None = getattr(self._snapshot, "connection", None)
        if inside_snapshot is not None:
            yield inside_snapshot
            return
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            yield connection
        finally:
            self._idle.append(connection)
            if self._closed:
                self.close()

    def _open(self) -> Connection:
        if self._closed:
            raise StorageError(f"the catalog {self._path} is closed", "open the data directory again")
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        if not self._path.stat().st_size:
            connection.execute(_ON_MAKING)
        connection.executescript(_ON_OPENING)
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code is None and not isinstance(error, sqlite3.ProgrammingError):
                # Its message quotes what stands there: a document, perhaps.
                raise StorageError(f"the catalog {self._path} is damaged: a text in it is none", MADE_ANEW) from None
            raise StorageError(f"the catalog {self._path} failed: {error}", self._hint(code)) from error

    def _hint(self, code: int | None) -> str:
        """What to do about an error; None is the code of what a closed connection says."""
        kind = sqlite3.SQLITE_MISUSE if code is None else code & _KIND
        if kind == sqlite3.SQLITE_FULL:
            return "free some space and try again"
        # A damaged header makes a file "readonly" that may be written.
        refuses = kind == sqlite3.SQLITE_READONLY and os.access(self._path, os.W_OK)
        is_sound = kind in _NOT_OF_THE_FILE and not refuses and not self._path.is_dir()
        return "check the disk and the folder's permissions" if is_sound else MADE_ANEW


def copy_database(source: Path, target: Path) -> None:
    """Writes one state of a file into another one, without gaps; others may read and write it meanwhile.

    Args:
        target: Not there yet.

    Raises:
        StorageError: The source is damaged, or the target cannot be written.
    """
    connection = sqlite3.connect(source, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise StorageError(
            f"{source} could not be copied to {target}: {error}", "check the space beside the new file"
        ) from error
    finally:
        connection.close()


def _upgrade(connection: Connection, sql: str, version: int) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {sql} PRAGMA user_version = {version}; COMMIT;")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
