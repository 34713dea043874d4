import pytest

from kb.values.passages import Passage, PassagePart
from server.measure.eval.questions import Span
from server.measure.eval.ranking import Paragraph, Paragraphs, first_rank, rank_of_span, ranked_paragraphs, ranked_parts

# Document d: paragraphs 0 (0–100), 1 (102–130) and 2 (132–300); document e: one (0–50) with the text of paragraph 1.
PARAGRAPHS = Paragraphs(
    [
        Paragraph(2, Span("d", 132, 300)),
        Paragraph(0, Span("d", 0, 100)),
        Paragraph(1, Span("d", 102, 130)),
        Paragraph(1, Span("e", 0, 50)),
    ]
)


def passage(number: int, *parts: tuple[int, int, float], document_id: str = "d", page: int | None = None) -> Passage:
    made = tuple(PassagePart(start, end, page, (), score) for start, end, score in parts)
    # As a passage may: it covers more than its parts, and has a score of its own.
    return Passage(number, document_id, "t", "s", "…", 0, 400, made, score=1 / number)


def test_parts_of_all_passages_are_in_one_order_by_score() -> None:
    found = ranked_parts([passage(1, (0, 10, 0.5), (20, 30, 0.9)), passage(2, (40, 50, 0.7))])
    assert [part.span.start for part in found] == [20, 40, 0]


def test_parts_of_equal_score_are_ordered_by_passage_then_by_place() -> None:
    found = ranked_parts([passage(2, (40, 50, 0.5)), passage(1, (10, 20, 0.5), (30, 35, 0.5))])
    assert [part.span.start for part in found] == [10, 30, 40]


def test_part_that_two_passages_share_counts_once() -> None:
    assert len(ranked_parts([passage(1, (0, 10, 0.5)), passage(2, (0, 10, 0.4), (10, 20, 0.3))])) == 2


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 100, [0]),
        (0, 101, [0]),
        (99, 103, [0, 1]),  # equal overlaps: the first in the text
        (90, 140, [1, 0, 2]),
        (98, 131, [1, 0]),
        (130, 132, []),
        (299, 500, [2]),
        (300, 500, []),
        (0, 400, [2, 0, 1]),
    ],
)
def test_paragraphs_are_those_that_share_characters_the_larger_overlap_first(
    start: int, end: int, expected: list[int]
) -> None:
    assert [paragraph.key for paragraph in PARAGRAPHS.overlapping(Span("d", start, end))] == expected


def test_paragraph_counts_where_it_first_appears() -> None:
    ranked = ranked_paragraphs([passage(1, (90, 125, 0.9), (0, 80, 0.8)), passage(2, (150, 200, 0.85))], PARAGRAPHS)
    assert ranked == [1, 0, 2]


def test_what_covers_no_paragraph_counts_as_one_of_its_own() -> None:
    others = passage(1, (0, 10, 0.9), (20, 30, 0.8), document_id="other")
    ranked = ranked_paragraphs([others, passage(2, (0, 10, 0.7))], PARAGRAPHS)
    assert first_rank(ranked, lambda key: key == 0) == 3


def test_paragraph_that_stands_twice_is_found_in_either_place() -> None:
    assert ranked_paragraphs([passage(1, (0, 40, 0.9), document_id="e")], PARAGRAPHS) == [1]
    assert PARAGRAPHS.spans(1) == [Span("d", 102, 130), Span("e", 0, 50)]


def test_rank_of_a_span_is_that_of_the_first_part_that_touches_it() -> None:
    passages = [passage(1, (0, 10, 0.9), (10, 20, 0.8)), passage(2, (20, 30, 0.7), document_id="e")]
    assert rank_of_span(passages, [Span("d", 19, 25)]) == 2
    assert rank_of_span(passages, [Span("d", 20, 25)]) is None
    assert rank_of_span(passages, [Span("d", 20, 25), Span("e", 29, 40)]) == 3
    assert rank_of_span([], [Span("d", 0, 1)]) is None
