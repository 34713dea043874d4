from dataclasses import replace

import pytest

from kb.catalog.catalog import Catalog
from kb.text.terms import search_terms
from kb.values.filters import Filters
from tests.kb.catalog.catalog_harness import add, chunks_of, file_named, found_texts


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
    assert [chunk.document_id for chunk in catalog.chunks.by_id(list(on_land)).values()] == ["d2"]
    assert on_land.items() <= everywhere.items()
    at_sea = catalog.keywords.search(terms, 1, Filters(folders=("sea",), types=("md", "pdf")))
    assert at_sea == [next(iter(everywhere.items()))]
    assert catalog.keywords.search(terms, 10, Filters(tags=("unknown",))) == []


@pytest.mark.parametrize(
    ("tag", "found"), [("work", ["d1", "d2"]), ("WORK/finance", ["d1"]), ("wor", []), ("finance", [])]
)
def test_a_tag_stands_for_those_below_it(catalog: Catalog, tag: str, found: list[str]) -> None:
    for document_id, tags in (("d1", ("Work/Finance",)), ("d2", ("work",)), ("d3", ("workshop",))):
        document, chunks = chunks_of("the blue whale")
        tagged = replace(document, tags=tags)
        catalog.swap(document_id, file_named(document_id), tagged, chunks, ["hash"])
    hits = [chunk_id for chunk_id, _ in catalog.keywords.search(["whale"], 10, Filters(tags=(tag,)))]
    assert sorted(chunk.document_id for chunk in catalog.chunks.by_id(hits).values()) == found


@pytest.mark.parametrize("query", ["", "?!", '"', "NEAR(a b)", "a AND", "terms:x", "*", "-", "x" * 3000, "字" * 4000])
def test_no_query_is_a_syntax_error(catalog: Catalog, query: str) -> None:
    add(catalog, "d1", "the blue whale")
    assert found_texts(catalog, query) == []
