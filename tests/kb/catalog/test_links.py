from collections.abc import Sequence

import pytest

from kb.catalog.catalog import Catalog
from kb.values.documents import Document
from kb.values.links import Link
from tests.kb.catalog.catalog_harness import file_named


def add(
    catalog: Catalog,
    source: str,
    *targets: str,
    paths: Sequence[str] = (),
    aliases: Sequence[str] = (),
    title: str = "",
) -> None:
    """Adds a document, whose id is its path, with links."""
    links = [
        Link(place, place + 1, target, is_path=place >= len(targets)) for place, target in enumerate([*targets, *paths])
    ]
    document = Document(
        title or source, "text/markdown", "x" * 100, (), bool(title), aliases=tuple(aliases), links=tuple(links)
    )
    catalog.swap(source, file_named(source), document, [], [])


def leads(catalog: Catalog, source: str) -> list[str]:
    return [linked.document_id for linked in catalog.links.outgoing(source)]


def backlinks(catalog: Catalog, source: str) -> list[tuple[str, str]]:
    return [(linked.document_id, linked.link.target) for linked in catalog.links.incoming(source)]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("Plan", "Plan.md"),
        ("plan", "Plan.md"),
        ("Plan.md", "Plan.md"),
        ("work/Plan", "work/Plan.md"),
        ("old/Plan", "work/old/Plan.md"),
        ("../Plan", "Plan.md"),
        ("/Plan", "Plan.md"),
        ("Diary", "work/Diary.md"),
        ("budget.xlsx", "work/budget.xlsx"),
        ("budget", ""),
        ("The great plan", "work/old/Plan.md"),
        ("A title", "work/Diary.md"),
        ("elsewhere/Plan", ""),
        ("Cafe\u0301", "Caf\u00e9.md"),
        ("Nothing", ""),
    ],
)
def test_a_link_leads_to_the_document_of_that_name(catalog: Catalog, target: str, found: str) -> None:
    add(catalog, "Plan.md")
    add(catalog, "work/Plan.md")
    add(catalog, "work/old/Plan.md", aliases=["The great plan"])
    add(catalog, "work/Diary.md", title="A title")
    add(catalog, "work/budget.xlsx")
    add(catalog, "Caf\u00e9.md")
    add(catalog, "notes/From.md", target)
    assert leads(catalog, "notes/From.md") == [found]


def test_a_document_beside_the_one_that_links_is_meant_first(catalog: Catalog) -> None:
    add(catalog, "README.md")
    add(catalog, "work/README.md")
    add(catalog, "work/From.md", "README", paths=["README.md", "./README.md", "../README.md", "sub/README.md"])
    assert leads(catalog, "work/From.md") == ["work/README.md"] * 3 + ["README.md", ""]
    assert [target for _, target in backlinks(catalog, "README.md")] == ["../README.md"]


def test_a_path_is_no_alias(catalog: Catalog) -> None:
    add(catalog, "a.md", aliases=["b"])
    add(catalog, "From.md", "b", paths=["b.md", "a.md"])
    assert leads(catalog, "From.md") == ["a.md", "", "a.md"]
    assert backlinks(catalog, "a.md") == [("From.md", "b"), ("From.md", "a.md")]


def test_links_follow_what_becomes_of_their_documents(catalog: Catalog) -> None:
    add(catalog, "From.md", "Plan")
    assert leads(catalog, "From.md") == [""]
    add(catalog, "Plan.md", aliases=["P"])
    assert leads(catalog, "From.md") == ["Plan.md"]
    assert backlinks(catalog, "Plan.md") == [("From.md", "Plan")]
    catalog.move("Plan.md", file_named("Idea.md"), "Idea")
    assert leads(catalog, "From.md") == [""]
    add(catalog, "From.md", "Idea", "P")
    assert leads(catalog, "From.md") == ["Plan.md", "Plan.md"]
    catalog.remove("Plan.md")
    assert leads(catalog, "From.md") == ["", ""]
    assert catalog.links.outgoing("Plan.md") == catalog.links.incoming("Plan.md") == []


def test_links_to_itself_are_no_backlinks(catalog: Catalog) -> None:
    add(catalog, "a.md", "a")
    assert leads(catalog, "a.md") == ["a.md"]
    assert backlinks(catalog, "a.md") == []
