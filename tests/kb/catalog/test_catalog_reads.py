import datetime
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb.catalog.catalog import SCHEMA_VERSION, Catalog
from kb.catalog.index_record import IndexRecord, Space
from kb.errors import SchemaMismatch, StorageError
from kb.values.documents import Document, FailureKind, FileVersion, WatchedFolder
from tests.kb.catalog.catalog_harness import FILE, SCHEMA_1, VERSION_1_ROWS, add, chunks_of, file_named, found_texts


def test_vectors_of_another_model_are_not_taken_for_these(catalog: Catalog) -> None:
    catalog.embeddings.put("m", ["h"], np.ones((1, 2), np.float32))
    assert catalog.embeddings.known("other", ["h"]) == set()
    with pytest.raises(KeyError):
        catalog.embeddings.get("other", ["h"])


def test_only_vectors_of_texts_that_nobody_has_are_dropped(catalog: Catalog) -> None:
    add(catalog, "d1", "kept")
    catalog.embeddings.put("m", ["hash of kept", "hash of gone"], np.ones((2, 2), np.float32))
    catalog.embeddings.drop_unused()
    assert catalog.embeddings.known("m", ["hash of kept", "hash of gone"]) == {"hash of kept"}


def test_same_version_of_a_file_failing_again_counts_as_one_more_attempt(catalog: Catalog) -> None:
    catalog.ledger.record_failure(FILE, "encrypted", "remove the password")
    catalog.ledger.record_failure(FILE, "still encrypted", "really remove it")
    (failure,) = catalog.ledger.failures()
    assert (failure.file, failure.reason, failure.hint) == (FILE, "still encrypted", "really remove it")
    assert failure.attempts == 2


@pytest.mark.parametrize(("size_bytes", "modified_ns"), [(11, 1_000), (10, 2_000)])
def test_new_version_of_a_file_starts_counting_attempts_anew(
    catalog: Catalog, size_bytes: int, modified_ns: int
) -> None:
    newer = FileVersion("/notes", "a.md", size_bytes, modified_ns, "other")
    catalog.ledger.record_failure(FILE, "encrypted", "")
    catalog.ledger.record_failure(newer, "encrypted", "")
    (failure,) = catalog.ledger.failures()
    assert (failure.file, failure.attempts) == (newer, 1)


def test_cleared_failure_is_gone(catalog: Catalog) -> None:
    catalog.ledger.record_failure(FILE, "encrypted", "")
    catalog.ledger.record_failure(file_named("b.md"), "empty", "")
    catalog.ledger.clear_failure(FILE.root, FILE.source)
    assert [failure.file.source for failure in catalog.ledger.failures()] == ["b.md"]


def test_what_the_user_wanted_gone_stays_so_whatever_else_becomes_of_the_file(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    assert catalog.forget("d1") is not None
    catalog.ledger.record_failure(FILE, "encrypted", "")
    assert catalog.ledger.retry_failures() == 0
    document, chunks = chunks_of("the red fox")
    assert not catalog.swap("d1", FILE, document, chunks, ["hash of fox"])
    assert catalog.documents() == []
    (failure,) = catalog.ledger.failures()
    assert (failure.kind, failure.file) == (FailureKind.FORGOTTEN, FILE)
    newer = replace(FILE, changed_ns=1)
    assert not catalog.swap("d1", newer, document, chunks, ["hash of fox"]), "the time was not noted before"
    newer = replace(FILE, modified_ns=2_000)
    catalog.ledger.record_failure(newer, "encrypted", "")
    (failure,) = catalog.ledger.failures()
    assert (failure.kind, failure.attempts) == (FailureKind.UNREADABLE, 1)


def test_forgetting_takes_a_document_out_and_gives_it_back_for_the_last_time(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    (info,) = catalog.documents()
    assert catalog.forget("d1") == info
    assert catalog.forget("d1") is None
    assert found_texts(catalog, "whale") == []
    assert catalog.ledger.count("forgotten") == 1


def test_kind_and_next_try_of_a_failure_come_back(catalog: Catalog) -> None:
    at = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.UTC)
    catalog.ledger.record_failure(FILE, "killed its reader", "", FailureKind.QUARANTINED)
    catalog.ledger.record_failure(file_named("b.md"), "locked", "", next_try_at=at)
    quarantined, later = catalog.ledger.failures()
    assert (quarantined.kind, quarantined.next_try_at) == (FailureKind.QUARANTINED, None)
    assert (later.kind, later.next_try_at) == (FailureKind.UNREADABLE, at)
    assert catalog.ledger.retry_failures() == 2
    assert catalog.ledger.failures() == []


def test_recipe_is_kept_until_the_document_is_outdated(catalog: Catalog) -> None:
    for number in range(3):
        file = file_named(f"{number}.md")
        catalog.swap(f"d{number}", file, Document("", "", "", ()), [], [], recipe="readers 1")
    assert [document.recipe for document in catalog.documents()] == ["readers 1"] * 3
    assert catalog.outdate(["d1", "d1", "unknown"]) == 1
    assert [document.recipe for document in catalog.documents()] == ["readers 1", "", "readers 1"]
    assert catalog.outdate() == 3
    assert {document.recipe for document in catalog.documents()} == {""}


def test_move_of_a_document_that_is_gone_changes_nothing(catalog: Catalog) -> None:
    catalog.ledger.record_failure(FILE, "forgotten", "", FailureKind.FORGOTTEN)
    catalog.move("unknown", FILE, "")
    assert len(catalog.ledger.failures()) == 1


def test_folders_are_remembered_in_the_order_in_which_they_were_last_given(catalog: Catalog) -> None:
    catalog.ledger.remember_folders([WatchedFolder("/b", 7), WatchedFolder("/a"), WatchedFolder("/b", 8)])
    assert catalog.ledger.folders() == [WatchedFolder("/b", 7), WatchedFolder("/a", None)]
    catalog.ledger.remember_folders([WatchedFolder("/c")])
    assert catalog.ledger.folders() == [WatchedFolder("/c")]


def test_index_record_comes_back_and_a_new_generation_begins_without_dead_vectors(catalog: Catalog) -> None:
    assert catalog.ledger.index_record() is None
    record = IndexRecord("one", Space("知识 model", 2, "setting", "/models/知识"), 3, 4)
    catalog.ledger.set_index(record)
    assert catalog.ledger.index_record() == record
    catalog.ledger.add("dead_vectors", 5)
    catalog.ledger.set_index(replace(record, space=Space("model")))
    assert catalog.ledger.count("dead_vectors") == 5
    catalog.ledger.set_index(replace(record, generation="two"))
    assert catalog.ledger.count("dead_vectors") == 0


def test_time_of_the_last_sync_is_kept(catalog: Catalog) -> None:
    catalog.ledger.note_sync()
    first = catalog.ledger.last_sync()
    catalog.ledger.note_sync()
    second = catalog.ledger.last_sync()
    assert first is not None
    assert second is not None
    assert first < second


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
