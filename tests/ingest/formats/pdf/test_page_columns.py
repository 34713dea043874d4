from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.pdf.page_columns import gutter_between, in_columns
from ingest.formats.pdf.page_layout import Line

WORDS = "the keepers of the station walk over the saddle in the snow"


def line(text: str, y: float, left: float = 50, right: float = 550) -> Line:
    """A line ten points high whose font begins at `y`."""
    return Line(text, left, y, right, y + 10)


def paragraph(*texts: str, top: float = 700, left: float = 50, right: float = 550) -> list[Line]:
    return [line(text, top - 12 * n, left, right) for n, text in enumerate(texts)]


def column(name: str, left: float, right: float, count: int = 12, top: float = 700) -> list[Line]:
    return paragraph(*(f"{name}{n} {WORDS}" for n in range(count)), top=top, left=left, right=right)


def interleaved(left: Sequence[Line], right: Sequence[Line]) -> list[Line]:
    return [one for pair in zip(left, right, strict=True) for one in pair]


def test_two_columns_are_read_one_after_the_other_between_what_spans_both() -> None:
    title, bar = line("A title over both columns", 740), line("A caption over both columns", 700 - 12 * 6)
    above = interleaved(column("a", 50, 290, 6), column("b", 310, 550, 6))
    below = interleaved(column("c", 50, 290, 6, top=600), column("d", 310, 550, 6, top=600))
    ordered = in_columns([title, *above, bar, *below], 300)
    assert ordered is not None
    assert [one.text.split()[0] for one in ordered] == [
        "A", *(f"a{n}" for n in range(6)), *(f"b{n}" for n in range(6)),
        "A", *(f"c{n}" for n in range(6)), *(f"d{n}" for n in range(6)),
    ]  # fmt: skip


def test_a_bar_within_another_is_said_once() -> None:
    lines = [
        *interleaved(column("a", 50, 290), column("b", 310, 550)),
        line("A small one", 640),
        Line("A", 60, 630, 540, 670),
    ]
    ordered = in_columns(lines, 300)
    assert ordered is not None
    assert sorted(ordered, key=lines.index) == lines


_box = st.tuples(st.sampled_from([50, 60, 310, 320]), st.sampled_from([230, 240, 500]), st.integers(0, 60))


@given(st.lists(_box, min_size=16, max_size=60))
def test_whatever_the_page_no_line_is_lost_or_said_twice(boxes) -> None:
    lines = [line(f"{n} {WORDS}", 12 * y, left, left + width) for n, (left, width, y) in enumerate(boxes)]
    assert sorted((in_columns(lines, 300) or lines), key=lines.index) == lines


def test_head_and_foot_of_a_page_with_columns_stay_at_its_edges() -> None:
    head = [line("Journal of Snow", 760, 50, 150), line("March 2024", 760, 450, 550)]
    foot = line("17", 40, 50, 60)
    lines = [*head, *interleaved(column("a", 50, 290), column("b", 310, 550)), foot]
    ordered = in_columns(lines, 300)
    assert ordered is not None
    assert ordered[:2] == head
    assert ordered[-1] == foot
    assert ordered[2].text.startswith("a0")


@pytest.mark.parametrize("right", ["12,345 23,456", "$ 1 $ 2"])
def test_a_table_is_no_page_with_columns(right: str) -> None:
    labels = column("a", 50, 290)
    figures = paragraph(*(right for _ in labels), left=310, right=550)
    assert in_columns(interleaved(labels, figures), 300) is None


def test_short_terms_with_their_meanings_are_no_columns() -> None:
    terms = [line(f"term {n}", 700 - 12 * n, 50, 60 + 20 * (n % 10)) for n in range(12)]
    assert in_columns(interleaved(terms, column("b", 310, 550)), 300) is None


def test_a_few_lines_side_by_side_are_no_columns() -> None:
    body = [line(f"{n} {WORDS} {WORDS}", 500 - 12 * n) for n in range(30)]
    lines = [*interleaved(column("a", 50, 290, 9), column("b", 310, 550, 9)), *body]
    assert in_columns(lines, 300) is None


def test_the_gutter_is_found_between_lines_that_are_drawn_in_turn() -> None:
    left, right = column("a", 50, 280), column("b", 310, 550)
    assert gutter_between(interleaved(left, right)) == 295
    assert gutter_between([*left, *right]) is None
