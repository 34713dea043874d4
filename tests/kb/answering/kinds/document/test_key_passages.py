import numpy as np

from kb.answering.kinds.document.key_passages import BUDGET_TOKENS, key_passages
from tests.kb.answering.kinds.document.document_harness import LEASE, stored


def test_all_of_a_short_section_is_read_in_order() -> None:
    chunks = stored(LEASE)
    assert [passage.text for passage in key_passages(chunks, {})] == [text for _, text in LEASE]


def test_what_the_section_is_about_is_read_first_and_never_twice() -> None:
    half = BUDGET_TOKENS // 2
    texts = ["About the dome. ", "About the dome, again. ", "About the roof. ", "1 2 3 4 5 6 "]
    chunks = stored([("", (text * half)[:half]) for text in texts])
    vectors = np.eye(3, dtype=np.float32)
    near = {1: vectors[0], 2: vectors[0], 3: vectors[1], 4: vectors[2]}
    assert [passage.start for passage in key_passages(chunks, near)] == [chunks[0].chunk.start, chunks[2].chunk.start]


def test_chunk_longer_than_the_budget_is_read_if_it_is_the_best() -> None:
    chunks = stored([("", "x" * (BUDGET_TOKENS + 1))])
    assert len(key_passages(chunks, {})) == 1
