"""How tokens are counted, and how work on a long document ends."""

from collections.abc import Sequence

import pytest

from ingest.chunking.chunker import (
    chunk,
)
from tests.ingest.chunking.made_documents import (
    SENTENCE,
    check,
    document,
    prose,
    words,
)


class Counter:
    """Counts words, and notes how much it was given at once."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def __call__(self, batch: Sequence[str]) -> list[int]:
        self.calls.append((len(batch), sum(map(len, batch))))
        return words(batch)


def test_the_counter_is_called_a_few_times_only() -> None:
    count = Counter()
    chunk(document(*(prose(SENTENCE, "A", str(n)) for n in range(500))), count)
    assert len(count.calls) <= 8


@pytest.mark.parametrize("text", [f"{SENTENCE} " * 5000, "word " * 60_000, "x" * 300_000])
def test_the_counter_is_never_given_much_at_once(text: str) -> None:
    count = Counter()
    source = document(prose(text.strip(), "A"))
    chunks = chunk(source, count)
    check(source, chunks)
    assert max(texts for texts, _ in count.calls) <= 256
    assert max(chars for _, chars in count.calls) <= 65_536


def test_work_on_a_long_document_can_be_ended_between_its_parts() -> None:
    class Enough(Exception):
        pass

    checks = 0

    def end() -> None:
        nonlocal checks
        checks += 1
        if checks > 20:
            raise Enough

    count = Counter()
    with pytest.raises(Enough):
        chunk(document(*(prose(f"{n} {SENTENCE}", "A") for n in range(100))), count, end)
    assert sum(texts for texts, _ in count.calls) < 20
    checks = 15
    with pytest.raises(Enough):
        chunk(document(prose(" ".join(f"{n} {SENTENCE}" for n in range(3000)))), count, end)
    assert 0 < len(count.calls) < 6


def test_what_a_tokenizer_does_not_see_makes_no_chunk_without_end() -> None:
    source = document(prose("\u200b" * 300_000, "A"))
    chunks = chunk(source, lambda texts: [1] * len(texts))
    check(source, chunks)
    assert max(len(piece.text) for piece in chunks) <= 150 * 64


def test_a_heading_without_end_is_not_kept_with_each_chunk() -> None:
    source = document(*(prose(SENTENCE, "x" * 300_000, str(n)) for n in range(50)), title="y" * 300_000)
    chunks = chunk(source, words)
    assert len(chunks) == 50
    assert max(len(piece.context) + sum(map(len, piece.headings)) for piece in chunks) < 4000
