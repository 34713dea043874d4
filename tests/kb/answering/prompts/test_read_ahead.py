import pytest

from kb.answering.prompts.prompt import Prompt, build_prompt
from kb.answering.prompts.read_ahead import NOTHING_READ, SourcesRead, still_good
from kb.values.passages import Passage, PassagePart, Place

A, B, C, D = ((f"d{n}", 0, 10) for n in range(4))


@pytest.mark.parametrize(
    ("read", "good"),
    [
        ([B, A], True),
        ([C, B, A], True),
        ([A, C], False),  # the second best is not among them
        ([A, B, D], False),  # not found any more
        ([], False),
    ],
)
def test_sources_stay_where_the_two_best_are_among_them_and_all_are_found(read: list[Place], good: bool) -> None:
    assert still_good(read, found=[A, B, C], chosen=[A, B]) is good


def test_they_stay_for_what_goes_on_as_it_began() -> None:
    read = SourcesRead("When does the", 320, (A, B))
    assert read.of("When does the dome open?", 320) == (A, B)
    assert read.of("Who built the dome?", 320) == read.of("When does the dome open?", 640) == ()
    assert NOTHING_READ.of("When does the dome open?", 320) == ()


def asked(scores: tuple[float, float, float], read: Prompt | None = None) -> Prompt:
    """A prompt with sources out of two documents; the best comes first."""
    parts = [
        PassagePart(start, start + 8, None, heading, score)
        for start, heading, score in zip((0, 8, 0), (("One",), ("One",), ("Two",)), scores, strict=True)
    ]
    first = Passage(1, "a", "A", "a.md", "Doors.. Walls..", 0, 16, tuple(parts[:2]), max(scores[:2]))
    second = Passage(1, "b", "B", "b.md", "Roofs..", 0, 8, (parts[2],), scores[2])
    passages = sorted([first, second], key=lambda passage: -passage.score)
    return build_prompt("What is there?", passages, (), len, 1000, read.places if read else ())


def test_sources_that_were_read_keep_their_order_and_their_text() -> None:
    before, after = asked((0.9, 0.8, 0.7)), asked((0.7, 0.6, 0.9))
    assert before.sources != after.sources
    again = asked((0.7, 0.6, 0.9), read=before)
    assert (again.sources, again.places) == (before.sources, before.places)
    assert asked((0.7, 0.6, 0.9), read=again).sources == before.sources
