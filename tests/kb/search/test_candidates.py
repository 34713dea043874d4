"""What is sought in a long document is found in it, and not where the document says what it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.catalog.catalog import Catalog
from kb.search.candidates import Candidates, gather
from kb.search.meant import LONG_CHUNKS
from kb.values.documents import Chunk, Document, FileVersion

CASH = 61
QUESTION = "What was the cash from operations as stated in the Acme quarterly report for {month}?"


def add_report(catalog: Catalog, month: str, pages: int = LONG_CHUNKS) -> None:
    """One of those that are alike but for month and figures; each page is signed with what the cover says."""
    cover = f"Acme quarterly report for {month}"
    texts = [cover, *(f"{cover}: what was stated is right, page {number}" for number in range(pages - 1))]
    texts[min(CASH, pages - 1)] = f"Net cash from operations {len(month)},120"
    chunks = [Chunk(0, len(text), text, page=number) for number, text in enumerate(texts)]
    file = FileVersion("/reports", f"{month}.pdf", 10, 1_000, f"hash of {month}")
    catalog.swap(month, file, Document(f"{month} report", "application/pdf", cover, ()), chunks, texts)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield catalog
    catalog.close()


def best(catalog: Catalog, found: Candidates) -> tuple[str, int | None]:
    """Document and page with the best score for their words."""
    key = max(found.lexical, key=lambda key: (key in found.meant, found.lexical[key]))
    return found.document_ids[key], catalog.chunks.by_id([key])[key].chunk.page


@pytest.mark.parametrize("month", ["May", "June"])
def test_words_that_name_a_long_document_do_not_lead_to_its_cover(catalog: Catalog, month: str) -> None:
    add_report(catalog, "May")
    add_report(catalog, "June")
    found = gather(catalog, QUESTION.format(month=month), ())
    assert best(catalog, found) == (month, CASH)
    assert {found.document_ids[key] for key in found.meant} == {month}


def test_what_the_opening_says_is_found_there(catalog: Catalog) -> None:
    add_report(catalog, "May")
    add_report(catalog, "June")
    found = gather(catalog, "Which quarterly report for May has Acme certified?", ())
    assert best(catalog, found) == ("May", 0)


def test_evidence_counts_the_whole_question(catalog: Catalog) -> None:
    add_report(catalog, "May")
    add_report(catalog, "June")
    found = gather(catalog, QUESTION.format(month="May"), ())
    key = max(found.meant, key=lambda key: found.lexical.get(key, 0.0))
    assert 0 < found.said[key] < found.lexical[key]


def test_short_document_is_about_what_it_opens_with(catalog: Catalog) -> None:
    add_report(catalog, "May", pages=LONG_CHUNKS - 1)
    found = gather(catalog, QUESTION.format(month="May"), ())
    assert not found.meant
    assert max(found.lexical, key=found.lexical.__getitem__) == max(found.said, key=found.said.__getitem__)


def test_what_does_not_answer_is_not_meant(catalog: Catalog) -> None:
    add_report(catalog, "May")
    add_report(catalog, "June")
    found = gather(catalog, QUESTION.format(month="May"), (), outdated={"May"})
    assert set(found.document_ids.values()) == {"June"}


@pytest.mark.parametrize(
    ("name", "mention", "text", "question"),
    [
        ("陈雨桐", "参加：陈雨桐、林嘉禾。陈雨桐汇报了海报。", "宿舍 7 号楼 402。", "陈雨桐住在哪里？"),
        (
            "Jane Doe",
            "Present: Jane Doe and the head of the group.",
            "Room 402 in house 7.",
            "Where does Jane Doe live?",
        ),
    ],
)
def test_note_that_is_called_so_comes_before_those_that_mention_it(
    catalog: Catalog, name: str, mention: str, text: str, question: str
) -> None:
    for number in range(5):
        add_note(catalog, f"meetings/{number}.md", f"{number}", mention)
    add_note(catalog, f"people/{name}.md", name, text)
    found = gather(catalog, question, ())
    key = max(found.lexical, key=found.lexical.__getitem__)
    assert found.document_ids[key] == f"people/{name}.md"


def add_note(catalog: Catalog, source: str, title: str, text: str) -> None:
    file = FileVersion("/notes", source, 10, 1_000, f"hash of {source}")
    catalog.swap(source, file, Document(title, "text/markdown", text, ()), [Chunk(0, len(text), text)], [text])
