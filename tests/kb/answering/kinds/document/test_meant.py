from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.answering.kinds.document.meant import documents_meant, part_meant
from kb.catalog.catalog import Catalog
from kb.values.documents import Document, DocumentInfo, FileVersion
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage
from tests.kb.answering.kinds.document.document_harness import LEASE, stored

NAMES = {
    "flat/lease.md": "The lease of the flat",
    "garage/lease.md": "The lease of the garage",
    "reports/2023.pdf": "Annual report 2023",
    "reports/2024.pdf": "Annual report 2024",
    "年报.pdf": "观测站年报",
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    for n, (source, title) in enumerate(NAMES.items()):
        file = FileVersion("/notes", source, 1, n * 10**18, source)
        catalog.swap(source, file, Document(title, "text/markdown", "", ()), (), ())
    yield catalog
    catalog.close()


def meant(catalog: Catalog, question: str, filters: Filters = EVERYTHING, found: tuple[str, ...] = ()) -> list[str]:
    passages = [passage_of(source) for source in found]
    return [each.id for each in documents_meant(question, filters, catalog, lambda _: passages)]


def passage_of(document_id: str) -> Passage:
    return Passage(1, document_id, "", "", "", 0, 0, (), 1.0)


@pytest.mark.parametrize(
    ("question", "sources"),
    [
        ("Summarise the lease of the garage.", ["garage/lease.md"]),
        ("Summarise the annual report 2023.", ["reports/2023.pdf"]),
        ("Summarise the lease. (garage/lease.md)", ["garage/lease.md"]),
        ("总结一下年报", ["年报.pdf"]),
        ("Summarise the latest annual report.", ["reports/2024.pdf"]),
        ("Summarise the lease.", ["garage/lease.md", "flat/lease.md"]),
    ],
)
def test_document_is_known_by_its_name(catalog: Catalog, question: str, sources: list[str]) -> None:
    assert meant(catalog, question) == sources


def test_the_only_document_that_passes_is_meant(catalog: Catalog) -> None:
    assert meant(catalog, "Summarise it.", Filters(folders=("flat",))) == ["flat/lease.md"]
    assert meant(catalog, "Summarise it.", Filters(folders=("nowhere",))) == []


def test_where_no_name_helps_the_search_decides(catalog: Catalog) -> None:
    asked = "What is the story of the heron about?"
    assert meant(catalog, asked, found=("年报.pdf", "年报.pdf", "flat/lease.md")) == ["年报.pdf"]
    assert set(meant(catalog, asked, found=("年报.pdf", *["flat/lease.md"] * 2, "年报.pdf"))) == {
        "年报.pdf",
        "flat/lease.md",
    }
    assert len(meant(catalog, asked)) == len(NAMES)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Summarise the section on notice.", "Notice"),
        ("Summarise chapter 2 of the lease.", "2 Rent"),
        ("Summarise page 2.", "page 2"),
        ("Summarise the lease.", ""),
    ],
)
def test_part_is_known_by_heading_number_or_page(catalog: Catalog, question: str, name: str) -> None:
    document = catalog.document("flat/lease.md")
    assert isinstance(document, DocumentInfo)
    chunks = [
        *stored(LEASE[:1], page=1),
        *stored([("2 Rent", LEASE[1][1])], page=2),
        *stored(LEASE[2:], page=3),
    ]
    part = part_meant(question, document, chunks)
    assert part.name == name
    assert len(part.chunks) == (1 if name else 3)
