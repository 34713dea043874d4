import pytest

from server.measure.eval.questions import Span, spread_out


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (None, list("abcdefgh")),
        (100, list("abcdefgh")),
        (8, list("abcdefgh")),
        (4, list("aceg")),
        (3, list("acf")),
        (1, ["a"]),
    ],
)
def test_sample_comes_from_all_parts_and_is_the_same_each_time(limit: int | None, expected: list[str]) -> None:
    assert spread_out("abcdefgh", limit) == expected


def test_sample_of_nothing_is_nothing() -> None:
    assert spread_out([], 3) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Span("d", 0, 10), 0),
        (Span("d", 5, 12), 2),
        (Span("d", 10, 20), 10),
        (Span("d", 12, 15), 3),
        (Span("e", 10, 20), 0),
    ],
)
def test_overlap_counts_common_characters(other: Span, expected: int) -> None:
    assert Span("d", 10, 20).overlap(other) == other.overlap(Span("d", 10, 20)) == expected
