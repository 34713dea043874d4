import datetime
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from kb.catalog.catalog import SCHEMA_VERSION, Catalog
from kb.catalog.index_record import IndexRecord, Space
from kb.errors import SchemaMismatch, StorageError
from kb.text.terms import search_terms
from kb.values.documents import Chunk, Document, FailureKind, FileVersion, WatchedFolder
from kb.values.filters import Filters

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

FILE = FileVersion("/notes", "a.md", 10, 1_000, "hash of a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


@pytest.fixture
def catalog(path: Path) -> Iterator[Catalog]:
    catalog = Catalog(path)
    yield catalog
    catalog.close()


def chunks_of(*texts: str, context: str = "") -> tuple[Document, list[Chunk]]:
    chunks, start = [], 0
    for text in texts:
        chunks.append(Chunk(start, start + len(text), text, ("Part", text[:3]), 7, context, tokens=3))
        start += len(text) + 2
    return Document("A title", "text/markdown", "\n\n".join(texts), ()), chunks


def add(catalog: Catalog, document_id: str, *texts: str, file: FileVersion = FILE, context: str = "") -> None:
    document, chunks = chunks_of(*texts, context=context)
    catalog.swap(document_id, file, document, chunks, [f"hash of {text}" for text in texts])


def file_named(source: str) -> FileVersion:
    return FileVersion("/notes", source, 10, 1_000, f"hash of {source}")


def found_texts(catalog: Catalog, query: str, k: int = 10) -> list[str]:
    ids = [chunk_id for chunk_id, _ in catalog.keywords.search(search_terms(query), k)]
    chunks = catalog.chunks(ids)
    return [chunks[chunk_id].chunk.text for chunk_id in ids]


def test_document_comes_back_as_it_went_in(catalog: Catalog) -> None:
    before = datetime.datetime.now(datetime.UTC)
    date = datetime.date(2024, 5, 1)
    document = Document("Über 知识", "application/pdf", "第一章 🙂 one\n\ntwo", (), True, ("a", "标签"), date, 3)
    catalog.swap("d1", FILE, document, [], [])
    (info,) = catalog.documents()
    assert (info.id, info.file, info.title, info.media_type) == ("d1", FILE, "Über 知识", "application/pdf")
    assert (info.tags, info.date, info.page_count) == (("a", "标签"), date, 3)
    assert (info.text_chars, info.chunk_count) == (len(document.text), 0)
    assert before <= info.indexed_at <= datetime.datetime.now(datetime.UTC)
    assert catalog.document("d1") == info
    assert catalog.document_id("/notes", "a.md") == "d1"


def test_text_is_counted_in_characters(catalog: Catalog) -> None:
    text = "知识🙂库 abc"
    catalog.swap("d1", FILE, Document("", "", text, ()), [], [])
    assert catalog.text("d1") == text
    for start in range(len(text) + 1):
        for end in range(start, len(text) + 2):
            assert catalog.text("d1", start, end) == text[start:end]
    assert catalog.text("d1", 4) == text[4:]


def test_what_is_not_there_is_none(catalog: Catalog) -> None:
    assert catalog.document("d1") is None
    assert catalog.document_id("/notes", "a.md") is None
    assert catalog.text("d1") is None
    assert catalog.ledger.last_sync() is None
    catalog.remove("d1")
    catalog.ledger.clear_failure("/notes", "a.md")
    assert catalog.counts() == (0, 0)


def test_chunks_come_back_with_their_place_and_text(catalog: Catalog) -> None:
    add(catalog, "d1", "第一段🙂", "second part")
    ids = catalog.chunk_ids([("d1", "hash of 第一段🙂"), ("d1", "hash of second part"), ("d1", "unknown")])
    assert len(ids) == 2
    _, expected = chunks_of("第一段🙂", "second part")
    stored = catalog.chunks([*ids.values(), 999])
    assert [stored[chunk_id].chunk for chunk_id in ids.values()] == expected
    assert [(chunk.ordinal, chunk.document_id, chunk.title, chunk.source) for chunk in stored.values()] == [
        (0, "d1", "A title", "a.md"),
        (1, "d1", "A title", "a.md"),
    ]


def test_same_text_twice_in_a_document_is_two_chunks_under_one_key(catalog: Catalog) -> None:
    add(catalog, "d1", "again", "other", "again")
    assert catalog.counts() == (1, 3)
    assert catalog.chunk_keys("d1") == {("d1", "hash of again"), ("d1", "hash of other")}
    first = catalog.chunk_ids([("d1", "hash of again")])[("d1", "hash of again")]
    assert catalog.chunks([first])[first].ordinal == 0


def test_new_version_takes_the_place_of_the_old_one_everywhere(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    catalog.ledger.record_failure(FILE, "broken", "")
    add(catalog, "d1", "the red fox", "the grey wolf")
    assert found_texts(catalog, "whale") == []
    assert found_texts(catalog, "fox") == ["the red fox"]
    assert catalog.chunk_keys() == {("d1", "hash of the red fox"), ("d1", "hash of the grey wolf")}
    assert catalog.counts() == (1, 2)
    assert catalog.ledger.failures() == []


def test_removed_document_is_not_found_any_more(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    add(catalog, "d2", "another whale", file=file_named("b.md"))
    catalog.remove("d1")
    assert found_texts(catalog, "whale") == ["another whale"]
    assert [document.id for document in catalog.documents()] == ["d2"]
    assert catalog.chunk_keys() == {("d2", "hash of another whale")}


def test_move_changes_place_and_time_and_nothing_else(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    moved = FileVersion("/papers", "new/b.md", 10, 2_000, FILE.sha256)
    catalog.ledger.record_failure(moved, "was broken there", "")
    catalog.move("d1", moved, "Dome")
    (info,) = catalog.documents()
    assert (info.id, info.file) == ("d1", moved)
    assert found_texts(catalog, "whale") == ["the blue whale"]
    assert catalog.ledger.failures() == []


def test_swap_that_fails_half_way_leaves_the_old_version(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    document, chunks = chunks_of("the red fox", "the grey wolf")
    with pytest.raises(ValueError, match="zip"):
        catalog.swap("d1", FILE, document, chunks, ["one hash for two chunks"])
    assert found_texts(catalog, "whale") == ["the blue whale"]
    assert found_texts(catalog, "fox") == []
    add(catalog, "d1", "the red fox")


def test_two_documents_cannot_come_from_one_file(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    with pytest.raises(StorageError):
        add(catalog, "d2", "the red fox")
    assert [document.id for document in catalog.documents()] == ["d1"]


# Readers beside a writer


def test_reader_never_sees_a_mixture_or_nothing(catalog: Catalog) -> None:
    versions = ("whale", "fox")
    add(catalog, "d1", *(f"the {versions[0]} number {i}" for i in range(4)))

    def read() -> None:
        for _ in range(100):
            with catalog.snapshot():
                by_word = {word: found_texts(catalog, word) for word in versions}
                keys, text = catalog.chunk_keys("d1"), catalog.text("d1") or ""
                (info,) = catalog.documents()
            (word,) = [word for word, texts in by_word.items() if texts]
            assert len(by_word[word]) == 4 == info.chunk_count == len(keys)
            assert text.count(word) == 4
            assert all(stored in text for stored in by_word[word])

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in count():
            add(catalog, "d1", *(f"the {versions[number % 2]} number {i}" for i in range(4)))
            if all(reader.done() for reader in readers):
                break
        for reader in readers:
            reader.result()


def test_snapshot_keeps_its_state_while_another_thread_writes(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    with catalog.snapshot(), ThreadPoolExecutor(1) as pool:
        assert catalog.counts() == (1, 1)
        pool.submit(catalog.remove, "d1").result()
        assert pool.submit(catalog.counts).result() == (0, 0)
        with catalog.snapshot():
            assert found_texts(catalog, "whale") == ["the blue whale"]
        assert catalog.counts() == (1, 1)
    assert catalog.counts() == (0, 0)


def test_snapshot_ends_also_when_its_block_fails(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError), catalog.snapshot():
        catalog.counts()
        _ = 1 / 0
    add(catalog, "d1", "the blue whale")
    assert catalog.counts() == (1, 1)


def test_writers_take_turns(catalog: Catalog) -> None:
    def write(number: int) -> None:
        add(catalog, f"d{number}", f"word{number}", file=file_named(f"{number}.md"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    assert catalog.counts() == (40, 40)


# Keyword search


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("connection", "All connections were closed."),
        ("CONNECTED", "All connections were closed."),
        ("resume", "A résumé is short; resume it."),
        ("1234", "It cost 1,234 crowns."),
        ("3.5", "Version 3.5 is out."),
        ("file bytes", "Set max_file_bytes to less."),
        ("知识", "个人知识库很有用"),
        ("知识库在哪里", "个人知识库很有用"),
        ("猫", "我喜欢猫。"),
        ("鱼", "鱼缸里有水"),
        ("ＳＱＬＩＴＥ", "SQLite 数据库"),
    ],
)
def test_chunk_is_found_by_its_words_in_english_and_chinese(catalog: Catalog, query: str, expected: str) -> None:
    texts = ["All connections were closed.", "A résumé is short; resume it.", "It cost 1,234 crowns."]
    texts += ["Version 3.5 is out.", "Set max_file_bytes to less.", "个人知识库很有用", "我喜欢猫。", "鱼缸里有水"]
    add(catalog, "d1", *texts, "SQLite 数据库")
    assert found_texts(catalog, query)[0] == expected


def test_rarer_words_and_more_of_them_come_first(catalog: Catalog) -> None:
    add(catalog, "d1", "whale and fox", "a fox", "fox here", "nothing at all")
    scores = catalog.keywords.search(search_terms("whale fox"), 10)
    assert found_texts(catalog, "whale fox")[0] == "whale and fox"
    assert [score for _, score in scores] == sorted((score for _, score in scores), reverse=True)
    assert len(catalog.keywords.search(search_terms("whale fox"), 2)) == 2


def test_title_and_headings_are_searched_with_the_text(catalog: Catalog) -> None:
    add(catalog, "d1", "It opens at nine.", context="Observatory › Visitors")
    assert found_texts(catalog, "observatory") == ["It opens at nine."]


def test_words_are_looked_for_in_the_documents_that_pass_alone(catalog: Catalog) -> None:
    add(catalog, "d1", "whale whale whale", "the blue whale", file=file_named("sea/a.md"))
    add(catalog, "d2", "a whale and a fox", "no word of it", file=file_named("land/b.md"))
    terms = search_terms("whale")
    everywhere = dict(catalog.keywords.search(terms, 10))
    on_land = dict(catalog.keywords.search(terms, 10, Filters(folders=("land",))))
    assert len(everywhere) == 3
    assert [chunk.document_id for chunk in catalog.chunks(list(on_land)).values()] == ["d2"]
    assert on_land.items() <= everywhere.items()
    at_sea = catalog.keywords.search(terms, 1, Filters(folders=("sea",), types=("md", "pdf")))
    assert at_sea == [next(iter(everywhere.items()))]
    assert catalog.keywords.search(terms, 10, Filters(tags=("unknown",))) == []


@pytest.mark.parametrize("query", ["", "?!", '"', "NEAR(a b)", "a AND", "terms:x", "*", "-", "x" * 3000, "字" * 4000])
def test_no_query_is_a_syntax_error(catalog: Catalog, query: str) -> None:
    add(catalog, "d1", "the blue whale")
    assert found_texts(catalog, query) == []


# Embeddings


def test_vectors_come_back_in_the_order_asked_for(catalog: Catalog) -> None:
    vectors = np.random.default_rng(0).normal(size=(1200, 8)).astype(np.float32)
    hashes = [f"h{i}" for i in range(1200)]
    catalog.embeddings.put("m", hashes, vectors)
    order = np.random.default_rng(1).permutation(1200)
    loaded = catalog.embeddings.get("m", [hashes[i] for i in order])
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, vectors[order])
    np.testing.assert_array_equal(catalog.embeddings.get("m", ["h3", "h3"]), vectors[[3, 3]])
    assert catalog.embeddings.known("m", ["h1", "h2", "unknown"]) == {"h1", "h2"}


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


# Failures, folders, facts


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


# The file


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
