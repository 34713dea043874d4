from itertools import chain

from kb.answering.kinds.document.sections import LEAST_TOKENS, sections_of
from tests.kb.answering.kinds.document.document_harness import LEASE, stored

LONG = "x" * LEAST_TOKENS


def test_sections_end_at_headings_and_hold_all_of_the_document() -> None:
    chunks = stored([("Term", LONG), ("Rent", LONG), ("Rent", LONG), ("Notice", LONG)])
    sections = sections_of(chunks)
    assert [section.name for section in sections] == ["Term", "Rent", "Notice"]
    assert list(chain.from_iterable(section.chunks for section in sections)) == chunks


def test_short_neighbours_are_one_section_and_named_after_both() -> None:
    (section,) = sections_of(stored(LEASE[:2]))
    assert section.name == "Term / Rent"
    assert section.headings == ("The lease",)


def test_more_sections_are_cut_where_more_are_wanted() -> None:
    assert len(sections_of(stored(LEASE))) == 1
    assert [section.name for section in sections_of(stored(LEASE), at_least=3)] == ["Term", "Rent", "Notice"]


def test_number_of_sections_grows_with_the_root_of_the_length() -> None:
    short, long = (len(sections_of(stored([("", "x" * 100)] * n))) for n in (400, 1600))
    assert short < 40
    assert 1.5 < long / short < 2.5


def test_section_without_headings_is_named_after_its_pages() -> None:
    (section,) = sections_of(stored([("", "Some text.")], page=7))
    assert (section.pages, section.name) == ("7", "7")
