from dataclasses import replace

from kb.catalog.catalog import Catalog
from kb.values.documents import FileVersion
from kb.values.scans import ScannedPage, Word
from tests.kb.catalog.catalog_harness import chunks_of, file_named

PAGE = ScannedPage("Boiler 236", (Word("Boiler", 0.1, 0.2, 0.3, 0.25), Word("236", 0.35, 0.2, 0.4, 0.25)))


def put(catalog: Catalog, file: FileVersion, *, unread: tuple[int, ...], text: str = "text") -> None:
    document, chunks = chunks_of(*([text] if text else []))
    document = replace(document, page_count=9, unread_pages=unread)
    catalog.swap(file.source, file, document, chunks, ["hash"] * len(chunks), recipe="1")


def test_pages_without_text_wait_the_newest_file_first_until_they_are_read(catalog: Catalog) -> None:
    old, new = file_named("old.pdf"), replace(file_named("new.pdf"), modified_ns=2_000)
    put(catalog, old, unread=(2, 9))
    put(catalog, new, unread=(3,))
    put(catalog, file_named("plain.pdf"), unread=())
    assert catalog.scans.waiting() == [(new, (3,)), (old, (2, 9))]
    catalog.scans.add(old.sha256, 9, ScannedPage())
    catalog.scans.add(new.sha256, 3, PAGE)
    assert (catalog.scans.waiting(), catalog.scans.waiting_pages()) == ([(old, (2,))], 1)
    assert catalog.scans.texts(old.sha256) == {9: ""}


def test_words_come_back_with_their_places(catalog: Catalog) -> None:
    file = file_named("a.pdf")
    put(catalog, file, unread=(1,))
    catalog.scans.add(file.sha256, 1, PAGE)
    assert catalog.scans.page("a.pdf", 1) == PAGE
    assert catalog.scans.page("a.pdf", 2) is catalog.scans.page("b.pdf", 1) is None


def test_documents_of_which_something_was_read_are_outdated_once(catalog: Catalog) -> None:
    part, vain, bare = file_named("part.pdf"), file_named("vain.pdf"), file_named("bare.pdf")
    put(catalog, part, unread=(1, 2))
    put(catalog, vain, unread=(1,))
    put(catalog, bare, unread=(1,), text="")
    assert catalog.scans.outdate_read() == 0
    catalog.scans.add(part.sha256, 1, PAGE)
    catalog.scans.add(vain.sha256, 1, ScannedPage())
    catalog.scans.add(bare.sha256, 1, ScannedPage())
    assert catalog.scans.outdate_read() == 2
    assert {document.id for document in catalog.documents() if not document.recipe} == {"part.pdf", "bare.pdf"}
    assert catalog.scans.outdate_read() == 0
    put(catalog, part, unread=(2,))
    assert catalog.scans.outdate_read() == 0


def test_what_was_read_goes_with_the_last_document_of_its_content(catalog: Catalog) -> None:
    one, copy = file_named("a.pdf"), replace(file_named("b.pdf"), sha256="hash of a.pdf")
    put(catalog, one, unread=(1,))
    put(catalog, copy, unread=(1,))
    catalog.scans.add(one.sha256, 1, PAGE)
    put(catalog, one, unread=())
    catalog.remove("a.pdf")
    assert catalog.scans.texts(one.sha256) == {1: PAGE.text}
    put(catalog, replace(copy, sha256="other"), unread=(1,))
    assert catalog.scans.texts(one.sha256) == {}
    catalog.scans.add(one.sha256, 1, PAGE)
    assert catalog.scans.texts(one.sha256) == {}


def test_nothing_found_can_be_tried_again(catalog: Catalog) -> None:
    file = file_named("a.pdf")
    put(catalog, file, unread=(1, 2))
    catalog.scans.add(file.sha256, 1, ScannedPage())
    catalog.scans.add(file.sha256, 2, PAGE)
    catalog.scans.forget_empty()
    assert catalog.scans.waiting() == [(file, (1,))]


def test_only_documents_that_answer_are_partly_read(catalog: Catalog) -> None:
    put(catalog, file_named("part.pdf"), unread=(1,))
    put(catalog, file_named("waits.png"), unread=(1,), text="")
    assert [document.id for document in catalog.partly_read()] == ["part.pdf"]
