import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from kb.catalog.catalog import SCHEMA_VERSION, Catalog
from kb.errors import SchemaMismatch, StorageError
from kb.values.documents import FailureKind, WatchedFolder
from tests.kb.catalog.catalog_harness import FILE, add, file_named, found_texts

SCHEMA_1 = Path(__file__).with_name("schema_1.sql")
VERSION_1_ROWS = """
    INSERT INTO documents VALUES
        ('d1', '/notes', 'a.md', 10, 1000, 'hash of a', 'A', '', '[]', NULL, NULL, 'the blue whale', 14, '2026-05-01');
    INSERT INTO chunks VALUES (1, 'd1', 0, 0, 14, NULL, '[]', '', 3, 'h1');
    INSERT INTO chunk_terms (rowid, terms) VALUES (1, 'the blue whale');
    INSERT INTO embeddings VALUES ('m', 'h1', x'0000803f00000000');
    INSERT INTO failures VALUES
        ('/notes', 'broken.pdf', 1, 2, '', 'encrypted', '', 3, '2026-05-01T12:00:00+00:00'),
        ('/notes', 'gone.md', 1, 2, '', 'forgotten at your wish', '', 1, '2026-05-01T12:00:00+00:00');
    INSERT INTO folders VALUES ('/a'), ('/b');
    INSERT INTO facts VALUES ('last_sync', '2026-05-01T12:00:00+00:00');
    PRAGMA user_version = 1;
"""


def test_everything_is_there_again_after_a_restart(path: Path) -> None:
    one = Catalog(path)
    add(one, "d1", "the blue whale")
    one.close()
    other = Catalog(path)
    assert found_texts(other, "whale") == ["the blue whale"]
    other.close()


def test_catalog_of_version_1_is_brought_up_to_date_and_loses_nothing(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = WAL;" + SCHEMA_1.read_text("utf-8"))
    connection.executescript(VERSION_1_ROWS)
    connection.close()
    for _ in range(2):
        catalog = Catalog(path)
        (info,) = catalog.documents()
        assert (info.id, info.file, info.recipe) == ("d1", FILE, "")
        assert catalog.text("d1") == "the blue whale"
        assert found_texts(catalog, "whale") == ["the blue whale"]
        np.testing.assert_array_equal(catalog.embeddings.get("m", ["h1"]), [[1.0, 0.0]])
        broken, forgotten = catalog.ledger.failures()
        assert (broken.kind, broken.attempts, broken.file.changed_ns) == (FailureKind.UNREADABLE, 3, 0)
        assert forgotten.kind is FailureKind.FORGOTTEN
        assert catalog.ledger.folders() == [WatchedFolder("/a"), WatchedFolder("/b")]
        assert catalog.ledger.last_sync() is not None
        add(catalog, "d2", "the red fox", file=file_named("b.md"))
        catalog.remove("d2")
        catalog.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.close()


def test_a_file_that_was_brought_up_to_date_has_the_columns_of_a_new_one(path: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA_1.read_text("utf-8") + "PRAGMA user_version = 1;")
    connection.close()
    columns = []
    for file in (path, tmp_path / "new.sqlite3"):
        Catalog(file).close()
        with sqlite3.connect(file) as connection:
            sql = "SELECT t.name, c.name, c.type, c.dflt_value FROM sqlite_schema t, pragma_table_info(t.name) c"
            columns.append(connection.execute(sql + " ORDER BY 1, c.cid").fetchall())
        connection.close()
    assert columns[0] == columns[1]


def test_catalog_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    Catalog(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(SchemaMismatch, match=str(path)) as caught:
        Catalog(path)
    assert "update" in caught.value.hint
    assert path.read_bytes() == content


def test_file_that_is_no_catalog_is_a_storage_error(path: Path) -> None:
    path.write_bytes(b"This is not a database. " * 100)
    with pytest.raises(StorageError, match=str(path)):
        Catalog(path)


def test_damage_that_shows_later_is_a_storage_error(path: Path) -> None:
    catalog = Catalog(path)
    add(catalog, "d1", *(f"text number {i} of many" for i in range(500)))
    catalog.close()
    with closing(sqlite3.connect(path)) as connection:
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'documents'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * page_size)
        file.write(b"\xff" * page_size)
    damaged = Catalog(path)
    with pytest.raises(StorageError, match=str(path)):
        damaged.documents()
    damaged.close()


def test_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Catalog(tmp_path / "missing" / "catalog.sqlite3")


def test_closed_catalog_says_so(catalog: Catalog) -> None:
    catalog.close()
    catalog.close()
    with pytest.raises(StorageError, match="closed"):
        catalog.counts()
    with pytest.raises(StorageError, match="closed"):
        add(catalog, "d1", "the blue whale")
