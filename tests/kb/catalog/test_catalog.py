import datetime

import pytest

from kb.catalog.catalog import Catalog
from kb.errors import StorageError
from kb.values.documents import Document, FailureKind, FileVersion
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
    ids = catalog.chunks.ids([("d1", "hash of 第一段🙂"), ("d1", "hash of second part"), ("d1", "unknown")])
    assert len(ids) == 2
    _, expected = chunks_of("第一段🙂", "second part")
    stored = catalog.chunks.by_id([*ids.values(), 999])
    assert [stored[chunk_id].chunk for chunk_id in ids.values()] == expected
    assert [(chunk.ordinal, chunk.document_id, chunk.title, chunk.source) for chunk in stored.values()] == [
        (0, "d1", "A title", "a.md"),
        (1, "d1", "A title", "a.md"),
    ]


def test_same_text_twice_in_a_document_is_two_chunks_under_one_key(catalog: Catalog) -> None:
    add(catalog, "d1", "again", "other", "again")
    assert catalog.counts() == (1, 3)
    assert catalog.chunks.keys("d1") == {("d1", "hash of again"), ("d1", "hash of other")}
    first = catalog.chunks.ids([("d1", "hash of again")])[("d1", "hash of again")]
    assert catalog.chunks.by_id([first])[first].ordinal == 0


def test_new_version_takes_the_place_of_the_old_one_everywhere(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    catalog.ledger.record_failure(FILE, "broken", "")
    add(catalog, "d1", "the red fox", "the grey wolf")
    assert found_texts(catalog, "whale") == []
    assert found_texts(catalog, "fox") == ["the red fox"]
    assert catalog.chunks.keys() == {("d1", "hash of the red fox"), ("d1", "hash of the grey wolf")}
    assert catalog.counts() == (1, 2)
    assert catalog.ledger.failures() == []


def test_removed_document_is_not_found_any_more(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    add(catalog, "d2", "another whale", file=file_named("b.md"))
    catalog.remove("d1")
    assert found_texts(catalog, "whale") == ["another whale"]
    assert [document.id for document in catalog.documents()] == ["d2"]
    assert catalog.chunks.keys() == {("d2", "hash of another whale")}


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


def test_forgetting_takes_a_document_out_and_gives_it_back_for_the_last_time(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    (info,) = catalog.documents()
    assert catalog.forget("d1") == info
    assert catalog.forget("d1") is None
    assert found_texts(catalog, "whale") == []
    assert catalog.ledger.count("forgotten") == 1


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


def test_top_folders_are_those_right_below_a_watched_folder(catalog: Catalog) -> None:
    assert catalog.top_folders() == []
    for number, source in enumerate(["a.md", "papers/2024/b.md", "papers/c.md", "minutes/d.md"]):
        add(catalog, f"d{number}", "text", file=file_named(source))
    assert catalog.top_folders() == [("/notes", "minutes"), ("/notes", "papers")]
