import datetime
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest

from kb.catalog.catalog import Catalog
from kb.errors import StorageError
from kb.text.terms import search_terms
from kb.values.documents import Document, FileVersion
from kb.values.filters import Filters
from tests.kb.catalog.catalog_harness import FILE, add, chunks_of, file_named, found_texts


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
