import pytest

from kb.search.meant import meant_document, what_is_sought
from kb.text.terms import content_terms, search_terms


def test_document_is_meant_that_is_spoken_of_most() -> None:
    assert meant_document({"a": 0.1, "b": 0.3, "c": 0.2}) == "b"
    assert meant_document({"a": 0.1}) == "a"


@pytest.mark.parametrize("likely", [{}, {"a": 0.0}, {"a": 0.2, "b": 0.2, "c": 0.1}])
def test_none_is_meant_where_no_one_is_ahead(likely: dict[str, float]) -> None:
    assert meant_document(likely) is None


@pytest.mark.parametrize(
    ("question", "opening", "sought"),
    [
        ("What was the cash flow in the May report of Acme?", "Acme report for May", {"cash", "flow"}),
        ("五月报告里的现金流是多少？", "五月报告", {"现金", "金流"}),
    ],
)
def test_what_names_the_document_is_not_sought_in_it(question: str, opening: str, sought: set[str]) -> None:
    assert sought <= set(what_is_sought(content_terms(question), set(search_terms(opening))))
    assert not set(search_terms(opening)) & set(what_is_sought(content_terms(question), set(search_terms(opening))))


@pytest.mark.parametrize(
    "question", ["What was the cash flow of Acme?", "What was the cash flow?", "The report of Acme"]
)
def test_document_is_named_by_two_terms_and_something_is_left(question: str) -> None:
    assert what_is_sought(content_terms(question), set(search_terms("Acme report for May"))) == []
