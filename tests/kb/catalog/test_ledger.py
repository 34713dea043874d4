import datetime
from dataclasses import replace

import pytest

from kb.catalog.catalog import Catalog
from kb.catalog.index_record import IndexRecord, Space
from kb.values.documents import FailureKind, FileVersion, WatchedFolder
from tests.kb.catalog.catalog_harness import FILE, add, chunks_of, file_named


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


def test_kind_and_next_try_of_a_failure_come_back(catalog: Catalog) -> None:
    at = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.UTC)
    catalog.ledger.record_failure(FILE, "killed its reader", "", FailureKind.QUARANTINED)
    catalog.ledger.record_failure(file_named("b.md"), "locked", "", next_try_at=at)
    quarantined, later = catalog.ledger.failures()
    assert (quarantined.kind, quarantined.next_try_at) == (FailureKind.QUARANTINED, None)
    assert (later.kind, later.next_try_at) == (FailureKind.UNREADABLE, at)
    assert catalog.ledger.retry_failures() == 2
    assert catalog.ledger.failures() == []


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
