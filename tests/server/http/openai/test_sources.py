"""How sources are named, linked, and listed."""

import pytest

from kb.values.answers import Citation
from kb.values.passages import Passage, PassagePart
from server.http.openai.footnotes import Wish, footnotes, wants_footnotes, without_footnotes
from server.http.openai.places import Places, first_of_each

QUESTION = "When does it open?"


def citation(
    number: int = 1, *, verified: bool = True, heading: str = "Guide › Hours", quote: str = "At nine."
) -> Citation:
    return Citation(number, "d 1", "Guide", "a/guide.pdf", 3, heading, quote, 5, 13, 0, 10, verified, 0.9)


def test_place_is_named_by_path_page_and_heading() -> None:
    places = Places("http://kb", QUESTION)
    assert places.name(citation()) == "a/guide.pdf · p. 3 · Hours"
    assert places.name(citation(heading="")) == "a/guide.pdf · p. 3"
    assert places.name(citation(verified=False)) == "a/guide.pdf · p. 3 · Hours (not confirmed)"
    assert (
        Places("http://kb", "什么时候开放？").name(citation(verified=False)) == "a/guide.pdf · 第 3 页 · Hours (未证实)"
    )
    assert places.url(citation()) == "http://kb/#document=d+1&start=5&end=13&page=3"


def test_each_number_has_a_name_of_its_own() -> None:
    places = Places("", QUESTION)
    assert [places.own_name(citation(number)) for number in (1, 2, 1)] == [
        "a/guide.pdf · p. 3 · Hours",
        "a/guide.pdf · p. 3 · Hours [2]",
        "a/guide.pdf · p. 3 · Hours",
    ]


def test_of_citations_with_one_number_a_verified_one_counts() -> None:
    doubtful, sure, other = citation(verified=False), citation(), citation(2, verified=False)
    assert first_of_each([doubtful, other, sure, doubtful]) == [sure, other]


def test_list_of_sources_has_a_link_and_the_quote_and_goes_off_again() -> None:
    places = Places("http://kb", QUESTION)
    cited = [citation(quote="At *nine*,\nor [ten]."), citation(2, quote="word " * 100), citation(1)]
    listed = footnotes(cited, [], places)
    first, second = listed.removeprefix("\n\n---\n\n").split("\n")
    link = "[a/guide.pdf · p. 3 · Hours](http://kb/#document=d+1&start=5&end=13&page=3)"
    assert first == f"- [1] {link}: “At \\*nine\\*, or \\[ten\\].”"
    assert second.startswith(f"- [2] {link}: “word word")
    assert second.endswith("…”")
    assert without_footnotes(f"It opens. [1][2]{listed}") == "It opens. [1][2]"
    assert without_footnotes("One.\n\n---\n\n- an item\n") == "One.\n\n---\n\n- an item\n"


def test_without_citations_the_nearest_passages_are_listed() -> None:
    part = PassagePart(0, 4, None, ("Guide",))
    passage = Passage(1, "d1", "Guide", "guide.md", "text", 0, 4, (part,), 1.0)
    places = Places("http://kb", QUESTION)
    listed = footnotes([], [passage], places)
    assert listed == "\n\n---\n\n- [guide.md · Guide](http://kb/#document=d1&start=0&end=4)"
    assert without_footnotes(f"No.{listed}") == "No."
    assert footnotes([], [], places) == ""


@pytest.mark.parametrize(
    ("wish", "headers", "expected"),
    [
        ("auto", {}, False),
        ("auto", {"x-title": "Cherry Studio"}, True),
        ("auto", {"user-agent": "Mozilla/5.0 CherryStudio/1.9.6"}, True),
        ("auto", {"user-agent": "python-httpx"}, False),
        ("on", {}, True),
        ("off", {"x-title": "Cherry Studio"}, False),
    ],
)
def test_list_is_for_clients_that_show_nothing_else(wish: Wish, headers: dict[str, str], expected: bool) -> None:
    assert wants_footnotes(wish, headers) == expected
