from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from kb.catalog.catalog import Catalog
from tests.kb.catalog.catalog_harness import add, file_named, found_texts


def test_reader_never_sees_a_mixture_or_nothing(catalog: Catalog) -> None:
    versions = ("whale", "fox")
    add(catalog, "d1", *(f"the {versions[0]} number {i}" for i in range(4)))

    def read() -> None:
        for _ in range(100):
            with catalog.snapshot():
                by_word = {word: found_texts(catalog, word) for word in versions}
                keys, text = catalog.chunks.keys("d1"), catalog.text("d1") or ""
                (info,) = catalog.documents()
            (word,) = [word for word, texts in by_word.items() if texts]
            assert len(by_word[word]) == 4 == info.chunk_count == len(keys)
            assert text.count(word) == 4
            assert all(stored in text for stored in by_word[word])

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in count():
            add(catalog, "d1", *(f"the {versions[number % 2]} number {i}" for i in range(4)))
            if all(reader.done() for reader in readers):
                break
        for reader in readers:
            reader.result()


def test_snapshot_keeps_its_state_while_another_thread_writes(catalog: Catalog) -> None:
    add(catalog, "d1", "the blue whale")
    with catalog.snapshot(), ThreadPoolExecutor(1) as pool:
        assert catalog.counts() == (1, 1)
        pool.submit(catalog.remove, "d1").result()
        assert pool.submit(catalog.counts).result() == (0, 0)
        with catalog.snapshot():
            assert found_texts(catalog, "whale") == ["the blue whale"]
        assert catalog.counts() == (1, 1)
    assert catalog.counts() == (0, 0)


def test_snapshot_ends_also_when_its_block_fails(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError), catalog.snapshot():
        catalog.counts()
        _ = 1 / 0
    add(catalog, "d1", "the blue whale")
    assert catalog.counts() == (1, 1)


def test_writers_take_turns(catalog: Catalog) -> None:
    def write(number: int) -> None:
        add(catalog, f"d{number}", f"word{number}", file=file_named(f"{number}.md"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    assert catalog.counts() == (40, 40)
