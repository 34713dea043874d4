from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.catalog import keywords as keyword_store
from kb.catalog.catalog import Catalog
from kb.text.terms import search_terms
from kb.values.documents import Chunk, Document, FileVersion


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield catalog
    catalog.close()


def add(catalog: Catalog, source: str, *texts: str, title: str = "A title") -> None:
    chunks = [Chunk(0, len(text), text) for text in texts]
    file = FileVersion("/notes", source, 10, 1_000, f"hash of {source}")
    catalog.swap(source, file, Document(title, "text/markdown", texts[0], ()), chunks, list(texts))


def scores(catalog: Catalog, query: str) -> list[float]:
    return [score for _, score in catalog.keywords.search(search_terms(query), 50)]


def shares(catalog: Catalog, query: str) -> dict[str, float]:
    documents = [document.id for document in catalog.documents()]
    return catalog.keywords.document_shares(search_terms(query), documents)


def add_others(catalog: Catalog) -> None:
    for number in range(20):
        add(catalog, f"{number}.md", f"something else number {number}")


def test_score_is_a_share_of_what_a_text_full_of_the_query_would_have(catalog: Catalog) -> None:
    add_others(catalog)
    add(catalog, "a.md", "whale fox " * 200, "whale and fox in one sentence", "a whale in another sentence")
    full, both, one = scores(catalog, "whale fox")
    assert 1 > full > both > one > 0
    assert full > 0.8


def test_words_that_stand_nowhere_lower_the_score(catalog: Catalog) -> None:
    add_others(catalog)
    add(catalog, "a.md", "a whale in a sentence")
    (alone,) = scores(catalog, "whale")
    (with_unknown,) = scores(catalog, "whale 鲸鱼生活在海里")
    assert with_unknown < alone / 3


def test_common_words_are_passed_over_where_chunks_are_many(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    add_others(catalog)
    add(catalog, "a.md", "whale something")
    assert len(scores(catalog, "whale something else")) == 21
    monkeypatch.setattr(keyword_store, "POSTINGS_SEARCHED", 10)
    assert len(scores(catalog, "whale something else")) == 1
    assert len(scores(catalog, "something else")) == 20  # one word is always looked for


def test_document_is_about_what_many_of_its_chunks_and_few_other_documents_hold(catalog: Catalog) -> None:
    add(catalog, "apples.md", *(f"the company sold {n} apples" for n in range(8)), "net sales rose")
    add(catalog, "pears.md", *(f"the company sold {n} pears" for n in range(8)), "an apple once", "net sales rose")
    add_others(catalog)
    found = shares(catalog, "How did net sales of apples change at the company?")
    assert found["apples.md"] > found["pears.md"] > found["1.md"] == 0


def test_document_named_in_the_query_has_a_share_of_it(catalog: Catalog) -> None:
    add(catalog, "reports/2023 Q3 APL.pdf", "net sales rose")
    add(catalog, "reports/2022 Q3 APL.pdf", "net sales rose")
    add(catalog, "a.md", "net sales rose", title="Third quarter of 2023")
    found = shares(catalog, "net sales in Q3 2023")
    assert found["reports/2023 Q3 APL.pdf"] > found["reports/2022 Q3 APL.pdf"]
    assert found["a.md"] > found["reports/2022 Q3 APL.pdf"]
    assert all(0 <= share <= 1 for share in found.values())


def test_chunks_hold_what_their_document_is_called_the_less_the_more_there_are(catalog: Catalog) -> None:
    add(catalog, "whale.md", "they sing")
    add(catalog, "whales.md", "they sing", "they dive", "they sleep", "they eat")
    add(catalog, "a.md", "a whale in a sentence")
    terms = search_terms("whale songs")
    found = catalog.keywords.name_shares(terms, ["whale.md", "whales.md", "a.md"])
    assert found["whale.md"] == pytest.approx(4 * found["whales.md"])
    assert 0 < found["whale.md"] < 1
    assert "a.md" not in found


def test_query_without_words_has_no_shares(catalog: Catalog) -> None:
    add(catalog, "a.md", "net sales rose")
    assert shares(catalog, "?!") == {"a.md": 0.0}
    assert catalog.keywords.document_shares(search_terms("sales"), []) == {}


def test_what_is_new_or_gone_counts_at_once(catalog: Catalog) -> None:
    add_others(catalog)
    add(catalog, "a.md", "whale")
    assert shares(catalog, "whale")["a.md"] > 0
    (before,) = scores(catalog, "whale")
    add(catalog, "b.md", "whale", "another whale")
    assert shares(catalog, "whale")["b.md"] > 0
    assert scores(catalog, "whale fish")[0] < before
    catalog.remove("b.md")
    assert scores(catalog, "whale") == [before]


def test_one_document_is_searched_alone_by_the_same_measure(catalog: Catalog) -> None:
    add_others(catalog)
    add(catalog, "a.md", "a whale", "a fox", "a whale and a fox")
    add(catalog, "b.md", "a whale and a fox in another document")
    terms = search_terms("whale fox")
    found = catalog.keywords.search_in("a.md", terms, 2)
    everywhere = dict(catalog.keywords.search(terms, 50))
    assert len(found) == 2
    assert found == {key: pytest.approx(everywhere[key]) for key in found}
    assert set(catalog.chunks.holders(list(found)).values()) == {"a.md"}
    assert catalog.keywords.search_in("gone.md", terms, 2) == {}


def test_document_opens_with_its_first_chunks_and_goes_by_their_terms_and_its_name(catalog: Catalog) -> None:
    add_others(catalog)
    add(catalog, "reports/spring.md", "the first report", "of the dome", "its visitors", title="Dome")
    opening, terms = catalog.keywords.opening("reports/spring.md", 2)
    assert set(catalog.chunks.holders(list(opening)).values()) == {"reports/spring.md"}
    assert len(opening) == 2
    assert {"first", "report", "spring", "dome"} <= terms
    assert "visitor" not in terms


def test_rare_terms_weigh_more(catalog: Catalog) -> None:
    add_others(catalog)
    add(catalog, "a.md", "a whale")
    weight = catalog.keywords.weight
    assert weight(search_terms("whale")) > weight(search_terms("something")) > 0
    assert weight(search_terms("whale something")) == pytest.approx(
        weight(search_terms("whale")) + weight(search_terms("something"))
    )
