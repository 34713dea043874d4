import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.search.windows import DOCUMENT_SHARE, MAX_PASSAGE_TOKENS, REACH, SHOWN_TOKENS, Window, windows
from kb.values.documents import Chunk
from kb.values.passages import Hit, StoredChunk

LONG = SHOWN_TOKENS  # tokens of a chunk that stands alone


class Shelf:
    """Documents of chunks, each a text of its own under a heading."""

    def __init__(self) -> None:
        self.documents: dict[str, list[StoredChunk]] = {}

    def put(self, name: str, *headings: str, tokens: int = 50, texts: Mapping[int, str] | None = None) -> None:
        texts = texts or {}
        self.documents[name] = [
            StoredChunk(
                id=len(self.documents) * 1000 + ordinal,
                document_id=name,
                ordinal=ordinal,
                title=name,
                source=f"{name}.md",
                chunk=Chunk(
                    start=ordinal * 100,
                    end=ordinal * 100 + 99,
                    text=texts.get(ordinal, f"{name} says thing{ordinal} of its own"),
                    headings=(heading,),
                    tokens=tokens,
                ),
            )
            for ordinal, heading in enumerate(headings)
        ]

    def hit(self, name: str, ordinal: int, score: float) -> Hit:
        return Hit(self.documents[name][ordinal], score)

    def around(self, chunk: StoredChunk, reach: int) -> Sequence[StoredChunk]:
        return self.documents[chunk.document_id][max(0, chunk.ordinal - reach) : chunk.ordinal + reach + 1]

    def windows(self, *hits: tuple[str, int, float], limit: int = 10) -> list[Window]:
        return windows([self.hit(*hit) for hit in hits], limit, self.around)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def shown(found: Sequence[Window]) -> list[tuple[str, list[int]]]:
    return [(window.document_id, [chunk.ordinal for chunk in window.in_order]) for window in found]


def test_hit_is_shown_with_its_section(shelf: Shelf) -> None:
    shelf.put("a", "One", "Two", "Two", "Two", "Three")
    assert shown(shelf.windows(("a", 2, 0.9))) == [("a", [1, 2, 3])]


def test_long_section_is_shown_as_far_as_there_is_room_on_both_sides_of_the_hit(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 30, tokens=SHOWN_TOKENS // 5)
    assert shown(shelf.windows(("a", 10, 0.9))) == [("a", [8, 9, 10, 11, 12])]


def test_hit_that_fills_the_room_stands_alone(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 3, tokens=LONG)
    assert shown(shelf.windows(("a", 1, 0.9))) == [("a", [1])]


def test_small_neighbours_are_shown_no_further_than_was_looked(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 40, tokens=1)
    assert shown(shelf.windows(("a", 20, 0.9))) == [("a", list(range(20 - REACH, 20 + REACH + 1)))]


def test_hits_of_one_section_make_one_window_with_the_score_of_the_best(shelf: Shelf) -> None:
    shelf.put("a", "One", "One", "One")
    found = shelf.windows(("a", 0, 0.9), ("a", 2, 0.8))
    assert shown(found) == [("a", [0, 1, 2])]
    assert found[0].score == 0.9


def test_windows_side_by_side_grow_together(shelf: Shelf) -> None:
    shelf.put("a", "One", "One", "Two", "Two")
    assert shown(shelf.windows(("a", 0, 0.9), ("a", 3, 0.8))) == [("a", [0, 1, 2, 3])]


def test_windows_do_not_grow_without_end(shelf: Shelf) -> None:
    count = 3 * MAX_PASSAGE_TOKENS // LONG
    shelf.put("a", *["One"] * count, tokens=LONG)
    found = shelf.windows(*(("a", ordinal, 1 - ordinal / 100) for ordinal in range(count)))
    assert sorted(chunk.ordinal for window in found for chunk in window.in_order) == list(range(count))
    assert all(sum(chunk.chunk.tokens for chunk in window.in_order) <= MAX_PASSAGE_TOKENS for window in found)


def test_windows_never_overlap(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 30, tokens=SHOWN_TOKENS // 5)
    ordinals = [chunk.ordinal for window in shelf.windows(("a", 10, 0.9), ("a", 14, 0.8)) for chunk in window.in_order]
    assert len(ordinals) == len(set(ordinals))
    assert {10, 14} <= set(ordinals)


def test_window_of_a_later_hit_is_clipped_where_another_one_is_shown_already(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 30, tokens=SHOWN_TOKENS // 3)
    assert shown(shelf.windows(("a", 10, 0.9), ("a", 13, 0.8), ("a", 20, 0.7))) == [
        ("a", [9, 10, 11, 12, 13, 14]),
        ("a", [19, 20, 21]),
    ]


@given(
    chunks=st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, SHOWN_TOKENS + 50)), min_size=1, max_size=30),
    order=st.randoms(use_true_random=False),
    limit=st.integers(1, 8),
)
def test_windows_have_no_gaps_and_do_not_overlap(
    chunks: list[tuple[str, int]], order: random.Random, limit: int
) -> None:
    shelf = Shelf()
    shelf.put("a", *(heading for heading, _ in chunks))
    shelf.documents["a"] = [
        replace(stored, chunk=replace(stored.chunk, tokens=tokens))
        for stored, (_, tokens) in zip(shelf.documents["a"], chunks, strict=True)
    ]
    places = order.sample(range(len(chunks)), len(chunks))
    found = shown(shelf.windows(*(("a", place, 1 - rank / 100) for rank, place in enumerate(places)), limit=limit))
    ordinals = [ordinal for _, window in found for ordinal in window]
    assert len(ordinals) == len(set(ordinals))
    assert all(window == list(range(window[0], window[-1] + 1)) for _, window in found)
    assert len(found) <= limit
    assert places[0] in ordinals


def test_best_window_comes_first_and_there_are_no_more_than_asked_for(shelf: Shelf) -> None:
    for name in "abcde":
        shelf.put(name, "One", tokens=LONG)
    found = shelf.windows(
        *((name, 0, score) for name, score in zip("abcde", (0.9, 0.8, 0.7, 0.6, 0.5), strict=True)), limit=3
    )
    assert [window.document_id for window in found] == ["a", "b", "c"]


def test_one_document_leaves_room_for_others(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 20, tokens=LONG)
    shelf.put("b", "One", tokens=LONG)
    hits = [("a", 2 * number, 0.9 - number / 100) for number in range(8)]
    found = shelf.windows(*hits, ("b", 0, 0.5), limit=5)
    names = [window.document_id for window in found]
    assert names.count("b") == 1
    assert names.count("a") == 4  # what others do not need goes back to it
    many = shelf.windows(*hits, *(("b", 0, 0.5),), limit=5)[:3]
    assert {window.document_id for window in many} == {"a"}
    assert DOCUMENT_SHARE * 5 == 3


def test_only_document_fills_all_places(shelf: Shelf) -> None:
    shelf.put("a", *["One"] * 20, tokens=LONG)
    assert len(shelf.windows(*(("a", 2 * number, 0.9 - number / 100) for number in range(8)), limit=5)) == 5


@pytest.mark.parametrize(
    ("one", "other", "is_copy"),
    [
        ("The dome opens at nine.", "The  dome\nopens at nine.", True),
        ("圆顶晚上九点打开。", "圆顶晚上九点打开！", True),
        ("Net sales were $81,797 million in the quarter.", "Net sales were $82,959 million in the quarter.", False),
        ("The green dome opens at nine.", "The white dome opens at nine.", False),
        ("甲站的圆顶九点打开。", "乙站的圆顶九点打开。", False),
    ],
)
def test_copies_are_shown_once_but_texts_that_say_something_else_are_not_copies(
    shelf: Shelf, one: str, other: str, is_copy: bool
) -> None:
    shelf.put("a", "One", texts={0: one})
    shelf.put("b", "One", texts={0: other})
    assert len(shelf.windows(("a", 0, 0.9), ("b", 0, 0.8))) == (1 if is_copy else 2)


def test_no_hits_no_windows(shelf: Shelf) -> None:
    assert shelf.windows() == []
