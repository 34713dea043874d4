import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.database import Database
from kb.errors import SchemaMismatch, StorageError

SCHEMA = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notes.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, SCHEMA, 1)
    yield database
    database.close()


def write(database: Database, *texts: str) -> None:
    with database.transaction() as connection:
        connection.executemany("INSERT INTO notes (text) VALUES (?)", [(text,) for text in texts])


def texts(database: Database) -> list[str]:
    return [row["text"] for row in database.rows("SELECT text FROM notes ORDER BY id")]


def test_all_writes_of_a_transaction_happen_or_none(database: Database) -> None:
    write(database, "one", "two")
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.execute("DELETE FROM notes")
        _ = 1 / 0
    assert texts(database) == ["one", "two"]
    write(database, "three")
    assert texts(database) == ["one", "two", "three"]


def test_write_that_the_schema_forbids_is_a_storage_error(database: Database, path: Path) -> None:
    with pytest.raises(StorageError, match=str(path)), database.transaction() as connection:
        connection.execute("INSERT INTO notes (text) VALUES (NULL)")


def test_full_disk_is_a_storage_error_and_changes_nothing(database: Database) -> None:
    write(database, "one")
    database.rows("PRAGMA max_page_count = 1")  # of the only connection, so that the file cannot grow
    with pytest.raises(StorageError, match="full") as caught:
        write(database, *("x" * 5000 for _ in range(100)))
    assert "free some space" in caught.value.hint
    assert texts(database) == ["one"]


def test_list_may_be_longer_than_a_query_takes_variables(database: Database) -> None:
    write(database, *map(str, range(1200)))
    rows = database.rows_in("SELECT id FROM notes WHERE text <> ? AND id IN ({marks})", list(range(5000)), "0")
    assert [row["id"] for row in rows] == list(range(2, 1201))
    assert list(database.rows_in("SELECT id FROM notes WHERE id IN ({marks})", [])) == []


def test_schema_is_made_once(database: Database, path: Path) -> None:
    write(database, "one")
    again = Database(path, SCHEMA, 1)
    assert texts(again) == ["one"]
    again.close()


def test_newer_schema_is_refused(database: Database, path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="newer"):
        Database(path, SCHEMA, 0)


def test_schema_that_cannot_be_made_leaves_no_half_of_it(path: Path) -> None:
    with pytest.raises(StorageError):
        Database(path, SCHEMA + "CREATE TABLE broken (;", 1)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    connection.close()


def test_connection_in_use_when_the_file_is_closed_can_finish(database: Database) -> None:
    write(database, "one")
    with database.snapshot():
        database.close()
        assert texts(database) == ["one"]
    with pytest.raises(StorageError, match="closed"):
        texts(database)
