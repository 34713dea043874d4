from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from kb.ports import VectorIndex, Vectors
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeVectorIndex
from tests.kb.indexing.index_harness import CAT, FOX, WHALE, running


class Killed(BaseException):
    """As if the process had ended there."""


class MortalStores(FakeIndexStores):
    """Ends the process before the n-th write to any of its indexes."""

    def __init__(self) -> None:
        super().__init__(lambda: MortalIndex(self))
        self.writes_left = 1_000_000

    def create(self, generation: str, space: str) -> VectorIndex:
        self.note_write()
        return super().create(generation, space)

    def keep_only(self, *generations: str) -> None:
        self.note_write()
        super().keep_only(*generations)

    def note_write(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Killed


class MortalIndex(FakeVectorIndex):
    def __init__(self, stores: MortalStores) -> None:
        super().__init__()
        self._stores = stores

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._stores.note_write()
        super().upsert(ids, vectors)

    def delete(self, ids: Iterable[str]) -> None:
        self._stores.note_write()
        super().delete(ids)

    def close(self) -> None:
        self._stores.note_write()


@pytest.mark.parametrize("wish", ["forget", "renewals", "revision"])
def test_a_process_that_ends_between_any_two_writes_heals_at_the_next_start(tmp_path: Path, wish: str) -> None:
    for writes in range(100):
        stores, home = MortalStores(), tmp_path / str(writes)
        with running(home, stores) as process:
            process.write(WHALE, FOX, source="a.md")
            unwanted = process.write(CAT, source="b.md")
        survived = False
        with suppress(Killed), running(home, stores) as process:
            stores.writes_left = writes
            if wish == "forget":
                process.live_index.forget(unwanted)
            else:
                process.catalog.ledger.add("revision" if wish == "revision" else "renewals")
            process.maintain()
            survived = True
        stores.writes_left = 1_000_000
        with running(home, stores) as process:
            process.assert_in_step()
            assert process.found("whale fox")[0] == f"{WHALE}\n{FOX}"
            assert process.embedder.embedded == [], "nothing that is committed is embedded at the start"
            process.maintain()
            assert process.live_index.serving.space.revision == (wish == "revision")
            assert list(stores.indexes) == [process.generation]
            process.assert_in_step()
            assert process.maintain() == 0
        if survived:
            break
    assert survived
    assert writes > 3


def test_a_pause_of_the_process_after_any_step_changes_nothing(home: Path) -> None:
    stores = FakeIndexStores()
    with running(home, stores) as process:
        process.write(WHALE, FOX, source="a.md")
        forgotten = process.write(CAT, source="b.md")
    for steps in range(12):
        with running(home, stores) as process:
            process.assert_in_step()
            if steps == 0:
                process.live_index.forget(forgotten)
            process.maintain(steps)
            assert process.found("whale fox")
            assert process.embedder.embedded == []
    with running(home, stores) as process:
        assert process.maintain() == 0
        assert list(stores.indexes) == [process.generation]
