import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb.catalog.database import Database
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


def test_reader_does_not_wait_for_a_writer_though_it_needs_a_connection_of_its_own(database: Database) -> None:
    write(database, "one")
    with ThreadPoolExecutor(1) as others, database.transaction() as connection:
        connection.execute("DELETE FROM notes")
        assert others.submit(texts, database).result(timeout=10) == ["one"]


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


def test_older_file_is_led_to_the_schema_of_today_step_by_step(path: Path) -> None:
    Database(path, SCHEMA, 1).close()
    migrations = {
        1: "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';",
        2: "UPDATE notes SET colour = 'blue' WHERE id = 1; INSERT INTO notes (text) VALUES ('new');",
    }
    database = Database(path, "", 3, migrations)
    assert [tuple(row) for row in database.rows("SELECT text, colour FROM notes")] == [("new", "red")]
    database.close()


def test_step_that_fails_leaves_the_older_file_as_it_was(database: Database, path: Path) -> None:
    write(database, "one")
    database.close()
    with pytest.raises(StorageError):
        Database(path, "", 2, {1: "DELETE FROM notes; ALTER TABLE nothing ADD COLUMN colour TEXT;"})
    again = Database(path, SCHEMA, 1)
    assert texts(again) == ["one"]
    again.close()


def test_what_is_deleted_is_overwritten(database: Database, path: Path) -> None:
    write(database, "Zyxomma petiolatum", *("x" * 500 for _ in range(50)))
    assert database.checkpoint()
    assert b"Zyxomma" in path.read_bytes()
    with database.transaction() as connection:
        connection.execute("DELETE FROM notes WHERE id = 1")
    assert database.checkpoint()
    assert b"Zyxomma" not in path.read_bytes()
    assert path.with_name(path.name + "-wal").stat().st_size == 0


def test_checkpoint_says_when_a_reader_is_in_the_way(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.catalog.database.CHECKPOINT_PATIENCE_SECONDS", 0.05)
    write(database, "one")
    with database.snapshot():
        texts(database)
        with ThreadPoolExecutor(1) as pool:
            assert not pool.submit(database.checkpoint).result()
    assert database.checkpoint()


def test_empty_pages_are_given_back(database: Database, path: Path) -> None:
    write(database, *("x" * 3000 for _ in range(500)))
    with database.transaction() as connection:
        connection.execute("DELETE FROM notes WHERE id > 5")
    assert database.free_share() > 0.9
    database.give_back(100)
    assert database.free_share() > 0.9
    database.give_back(1000)
    assert database.free_share() == 0.0
    assert database.checkpoint()
    assert path.stat().st_size < 50_000
    assert len(texts(database)) == 5


def test_file_from_before_pages_could_be_given_back_learns_it(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; {SCHEMA} PRAGMA user_version = 1;")
    connection.execute("INSERT INTO notes (text) VALUES ('one')")
    connection.commit()
    connection.close()
    database = Database(path, SCHEMA, 1)
    assert database.rows("PRAGMA auto_vacuum")[0][0] == 2
    assert texts(database) == ["one"]
    database.close()


def test_reading_over_a_new_connection_does_not_wait_for_who_writes(database: Database, path: Path) -> None:
    write(database, "before")
    with database.transaction() as connection, ThreadPoolExecutor(1) as other_thread:
        connection.execute("INSERT INTO notes (text) VALUES ('now')")
        counted = other_thread.submit(database.rows, "SELECT count(*) FROM notes")
        assert counted.result(10)[0][0] == 1
