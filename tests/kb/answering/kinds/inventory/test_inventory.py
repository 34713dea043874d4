"""Questions about documents, answered from a real catalog."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.answering.kinds.inventory.inventory import Inventory
from kb.answering.kinds.inventory.listing import MAX_LISTED
from kb.catalog.catalog import Catalog
from kb.values.documents import Chunk, Document, FileVersion
from kb.values.filters import Filters

TODAY = datetime.date(2026, 3, 20)


def put(catalog: Catalog, source: str, text: str, date: str = "2025-01-01", tags: tuple[str, ...] = ()) -> None:
    media_type = "application/pdf" if source.endswith(".pdf") else "text/markdown"
    document = Document(Path(source).stem, media_type, text, (), tags=tags, date=datetime.date.fromisoformat(date))
    file = FileVersion("/notes", source, 10, 1_000)
    catalog.swap(source.replace("/", "-"), file, document, [Chunk(0, len(text), text)], [source])


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    put(catalog, "house/boiler-manual.pdf", "How to bleed it.", "2023-05-01")
    put(catalog, "house/letter.md", "The boiler was repaired. 热水器修好了。", "2026-03-17")
    put(catalog, "trips/porto.md", "We drank tea by the river. 我们在河边喝茶。", "2022-08-09", ("travel",))
    put(catalog, "todo.md", "Buy tea, call Olsen.", "2026-03-20")
    yield catalog
    catalog.close()


@pytest.fixture
def inventory(catalog: Catalog) -> Inventory:
    return Inventory(catalog, lambda: TODAY)


@pytest.mark.parametrize(
    ("question", "sources"),
    [
        ("Which of my files mention the boiler?", ["house/letter.md", "house/boiler-manual.pdf"]),
        ("哪些文件提到了热水器？", ["house/letter.md"]),
        ("Which documents are about tea?", ["todo.md", "trips/porto.md"]),
        ("哪些文档是关于茶的？", ["trips/porto.md"]),
        ("Which PDFs are there?", ["house/boiler-manual.pdf"]),
        ("有哪些PDF？", ["house/boiler-manual.pdf"]),
        ("What is in the folder Trips?", ["trips/porto.md"]),
        ("List all documents from 2022.", ["trips/porto.md"]),
        ("列出2022年的全部文档。", ["trips/porto.md"]),
        ("What came in this week?", ["todo.md", "house/letter.md"]),
        ("这周新增了什么？", ["todo.md", "house/letter.md"]),
        ("How many of my files mention the boiler in 2023?", ["house/boiler-manual.pdf"]),
        ("Which notes have the tag travel?", ["trips/porto.md"]),
        ("¿Qué archivos mencionan Olsen?", ["todo.md"]),
    ],
)
def test_documents_are_found_newest_first(inventory: Inventory, question: str, sources: list[str]) -> None:
    listing = inventory.answer(question)
    assert listing
    assert [document.file.source for document in listing.documents] == sources
    assert [listing.text.index(source) for source in sources] == sorted(listing.text.index(each) for each in sources)


@pytest.mark.parametrize(
    "question", ["Which files mention zebras?", "哪些文件提到了斑马？", "Which files mention tea zebras?"]
)
def test_where_no_document_holds_the_words_it_is_not_sure(inventory: Inventory, question: str) -> None:
    assert inventory.answer(question) is None


def test_answer_says_how_many_and_how_that_was_counted(inventory: Inventory) -> None:
    english, chinese = (
        inventory.answer("Which of my files mention the boiler?"),
        inventory.answer("哪些文件提到了热水器？"),
    )
    assert english and chinese
    assert english.text.startswith(
        "2 of 4 documents with “boiler” in their text, name or tags:\n\n- letter (house/letter.md, 2026"
    )
    assert chinese.text.startswith("4 份文档中有 1 份正文、名称或标签中有“热水器”：\n\n- letter")
    dated = inventory.answer("List all documents from 2019.")
    assert dated
    assert dated.text.startswith("0 of 4 documents dated 2019-01-01 to 2019-12-31")
    assert dated.documents == ()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            "How many documents do I have?",
            ["4 documents", "md 3, pdf 1", "house 2", "(top) 1", "oldest: porto", "- todo"],
        ),
        ("我一共有多少份文档？", ["4 份", "md 3, pdf 1", "house 2", "（顶层） 1", "最早的：porto", "- todo"]),
    ],
)
def test_without_any_condition_it_is_told_what_there_is(inventory: Inventory, question: str, said: list[str]) -> None:
    listing = inventory.answer(question)
    assert listing
    assert [text for text in said if text not in listing.text] == []


def test_only_what_passes_the_filters_is_counted(inventory: Inventory) -> None:
    listing = inventory.answer("How many documents do I have?", Filters(folders=("house",)))
    assert listing
    assert listing.text.startswith("There are 2 documents.")
    assert inventory.answer("Which files mention tea?", Filters(folders=("house",))) is None


def test_long_lists_are_cut_and_the_rest_is_counted(catalog: Catalog, inventory: Inventory) -> None:
    for number in range(MAX_LISTED):
        put(catalog, f"tea/{number}.md", "More of it, by Olsen.", "2024-01-01")
    listing = inventory.answer("Which of my files mention Olsen?")
    assert listing
    assert len(listing.documents) == MAX_LISTED
    assert f"{MAX_LISTED + 1} of {MAX_LISTED + 4} documents" in listing.text
    assert "… and 1 more." in listing.text


def test_empty_catalog_has_nothing_to_say(tmp_path: Path) -> None:
    empty = Catalog(tmp_path / "empty.sqlite3")
    assert Inventory(empty).answer("How many documents do I have?") is None
    empty.close()
