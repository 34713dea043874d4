import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from kb.adapters.chroma.local import ChromaStores
from kb.errors import KBError, StorageError, VectorIndexError
from kb.indexing.live_index import EMBEDDINGS_PER_COMMIT, VECTORS_PER_LOCK
from kb.ports import IndexStores, Vectors
from kb.values.documents import FailureKind
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder, FakeVectorIndex
from tests.kb.indexing.index_harness import Running, document_of, file_named, running

WHALE, FOX, WOLF, CAT = "the blue whale", "the red fox", "the grey wolf", "知识库里的猫"


class BrittleIndex(FakeVectorIndex):
    """Fails at a step, as if the process had been killed there."""

    fails_at = ""

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._step("upsert")
        super().upsert(ids, vectors)
        self._step("after upsert")

    def delete(self, ids: Iterable[str]) -> None:
        self._step("delete")
        super().delete(ids)

    def _step(self, name: str) -> None:
        if name == self.fails_at:
            raise VectorIndexError(f"failed at {name}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(params=["fake index", "chroma"])
def stores(request: pytest.FixtureRequest, home: Path) -> IndexStores:
    return FakeIndexStores() if request.param == "fake index" else ChromaStores(home / "chroma")


@pytest.fixture
def process(home: Path, stores: IndexStores) -> Iterator[Running]:
    with running(home, stores) as process:
        yield process


def test_what_was_written_is_found(process: Running) -> None:
    process.write(WHALE, source="a.md")
    process.write(CAT, source="b.md")
    assert process.found("blue whale")[0] == WHALE
    assert process.found("猫在知识库吗")[0] == CAT
    process.assert_in_step()


def test_edit_embeds_only_the_texts_that_are_new(process: Running) -> None:
    first = process.write(WHALE, FOX)
    assert sorted(process.embedder.embedded) == sorted([WHALE, FOX])
    process.embedder.embedded.clear()
    assert process.write(WOLF, WHALE) == first
    assert process.embedder.embedded == [WOLF]
    assert process.found("fox whale wolf") == [f"{WOLF}\n{WHALE}"]
    process.assert_in_step()


def test_text_with_another_context_is_embedded_with_it(process: Running) -> None:
    process.write(WHALE, context="Animals")
    process.write(WHALE, context="Sea › Animals")
    assert process.embedder.embedded == [f"Animals\n{WHALE}", f"Sea › Animals\n{WHALE}"]
    process.assert_in_step()


def test_same_text_is_embedded_once_wherever_it_stands(process: Running) -> None:
    process.write(WHALE, FOX, WHALE, source="a.md")
    process.write(WHALE, source="b.md")
    assert sorted(process.embedder.embedded) == sorted([WHALE, FOX])
    assert len(process.index.ids()) == 3
    process.live_index.remove(process.catalog.document_id("/notes", "a.md") or "")
    assert process.found("blue whale") == [WHALE]
    process.assert_in_step()


def test_removed_document_is_not_found_any_more(process: Running) -> None:
    document_id = process.write(WHALE)
    process.live_index.remove(document_id)
    assert process.found("blue whale") == []
    assert process.index.ids() == set()
    process.live_index.remove(document_id)


def test_document_without_text_is_kept_with_no_chunks(process: Running) -> None:
    process.write(WHALE)
    process.write()
    assert process.catalog.counts() == (1, 0)
    process.assert_in_step()


def test_more_than_a_commit_of_texts_is_embedded_and_indexed(process: Running) -> None:
    texts = [f"the text number {i}" for i in range(2 * EMBEDDINGS_PER_COMMIT + 5)]
    process.write(*texts)
    assert sorted(process.embedder.embedded) == sorted(texts)
    process.assert_in_step()


@pytest.mark.parametrize("step", ["upsert", "after upsert", "delete"])
def test_crash_while_replacing_leaves_one_version_and_the_next_start_puts_all_in_step(home: Path, step: str) -> None:
    index = BrittleIndex()
    stores = FakeIndexStores(lambda: index)
    with running(home, stores) as process:
        process.write(WHALE, FOX)
        index.fails_at = step
        with pytest.raises(StorageError):
            process.write(WOLF)
        expected = [WOLF] if step == "delete" else [f"{WHALE}\n{FOX}"]
        assert process.found("whale fox wolf") == expected
        index.fails_at = ""
    with running(home, stores) as process:
        process.assert_in_step()
        assert process.embedder.embedded == []
        assert process.found("whale fox wolf") == expected
        process.write(WOLF)
        assert process.embedder.embedded == []
        assert process.found("whale fox wolf") == [WOLF]
        process.assert_in_step()


@pytest.mark.parametrize("how", ["remove", "forget"])
def test_crash_while_removing_removes(home: Path, how: str) -> None:
    index = BrittleIndex()
    stores = FakeIndexStores(lambda: index)
    with running(home, stores) as process:
        document_id = process.write(WHALE)
        index.fails_at = "delete"
        with nullcontext() if how == "forget" else pytest.raises(StorageError):  # that makes the index anew later
            getattr(process.live_index, how)(document_id)
        assert process.found("whale") == []
        index.fails_at = ""
    with running(home, stores) as process:
        process.assert_in_step()


def test_full_disk_under_the_catalog_leaves_the_index_as_it_was(home: Path, process: Running) -> None:
    process.write(WHALE)
    with closing(sqlite3.connect(home / "catalog.sqlite3")) as disk:
        disk.execute("CREATE TRIGGER full BEFORE INSERT ON documents BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
        with pytest.raises(StorageError, match="disk is full"):
            process.write(FOX)
        disk.execute("DROP TRIGGER full")
    assert process.catalog.ledger.count("renewals") == 0
    assert process.found("whale fox") == [WHALE]
    process.assert_in_step()
    process.write(FOX)
    assert process.found("whale fox") == [FOX]
    process.assert_in_step()


def test_interrupted_work_is_taken_up_where_it_was(process: Running) -> None:
    texts = [f"the text number {i:03}" for i in range(3 * EMBEDDINGS_PER_COMMIT)]
    calls = 0

    def stop_at_the_third() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KBError("closing")

    with pytest.raises(KBError, match="closing"):
        process.live_index.replace(file_named("a.md"), *document_of(*texts), stop_at_the_third)
    assert process.catalog.counts() == (0, 0)
    assert len(process.embedder.embedded) == 2 * EMBEDDINGS_PER_COMMIT
    process.write(*texts)
    assert sorted(process.embedder.embedded) == texts


def test_a_restart_keeps_embeddings_of_work_that_was_cut_off(home: Path, stores: IndexStores) -> None:
    with running(home, stores) as process:
        process.write(WHALE, FOX)
        process.write(WHALE)
    with running(home, stores) as process:
        process.maintain(keep_unused=True)
        process.write(WHALE, FOX)
        assert process.embedder.embedded == []


# Forgetting


def test_forgotten_document_does_not_come_back_through_a_swap_that_was_under_way(process: Running) -> None:
    document_id = process.write(WHALE)

    def forget() -> None:
        process.live_index.forget(document_id)

    process.live_index.replace(file_named("a.md"), *document_of(FOX), forget)
    assert process.catalog.documents() == []
    assert process.found("fox whale") == []
    process.assert_in_step()
    (failure,) = process.catalog.ledger.failures()
    assert (failure.kind, failure.file) == (FailureKind.FORGOTTEN, file_named("a.md"))


def test_another_version_of_a_forgotten_file_is_indexed(process: Running) -> None:
    process.live_index.forget(process.write(WHALE))
    process.write(FOX, modified_ns=2_000)
    assert process.found("fox") == [FOX]
    assert process.catalog.ledger.failures() == []


def test_forgetting_what_is_not_there_changes_nothing(process: Running) -> None:
    assert process.live_index.forget("unknown") is None
    assert process.catalog.ledger.failures() == []
    assert process.maintain() == 0


def test_search_goes_on_in_the_index_that_it_began_with(home: Path) -> None:
    """The old index is closed only after the searches in it."""
    seen: list[str] = []

    class Index(FakeVectorIndex):
        closed = False

        def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
            seen.append("closed" if self.closed else "open")
            return super().search(vector, k)

        def close(self) -> None:
            self.closed = True

    import threading

    class SlowEmbedder(FakeEmbedder):
        asked, goes_on = threading.Event(), threading.Event()

        def embed_query(self, text: str) -> Vectors:
            self.asked.set()
            self.goes_on.wait(10)
            return super().embed_query(text)

    embedder = SlowEmbedder()
    with running(home, FakeIndexStores(Index), embedder) as process:
        process.write(WHALE)
        search = threading.Thread(target=process.found, args=("whale",))
        search.start()
        assert embedder.asked.wait(10)
        process.catalog.ledger.add("renewals")
        before = process.index
        renewal = threading.Thread(target=process.maintain)
        renewal.start()
        while process.index is before:
            pass
        embedder.goes_on.set()
        search.join(10)
        renewal.join(10)
        assert seen == ["open"]
        assert isinstance(before, Index)
        assert before.closed


def test_others_may_remove_a_document_while_a_long_one_goes_into_the_index(process: Running) -> None:
    texts = [f"whale number {number}" for number in range(3 * VECTORS_PER_LOCK)]
    unwanted = process.write(FOX, source="b.md")
    found: list[list[str]] = []

    def check() -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(process.live_index.remove, unwanted).result(10)
        found.append(process.found("red fox"))

    process.live_index.replace(file_named("a.md"), *document_of(*texts), check)
    assert FOX not in found[-1]
    process.assert_in_step()


def test_version_that_is_forgotten_while_the_next_one_comes_takes_nothing_along(process: Running) -> None:
    texts = [f"whale number {number}" for number in range(2 * VECTORS_PER_LOCK)]
    before = process.write(WHALE, FOX)
    process.live_index.replace(
        file_named("a.md", 2_000), *document_of(WHALE, *texts), lambda: process.live_index.forget(before) and None
    )
    assert process.found("blue whale")
    process.assert_in_step()


def test_work_that_is_ended_on_the_way_into_the_index_leaves_the_old_version(process: Running) -> None:
    texts = [f"whale number {number}" for number in range(2 * VECTORS_PER_LOCK)]
    process.write(FOX)
    calls = iter(range(0, len(texts), EMBEDDINGS_PER_COMMIT))  # one before each batch that is embedded

    def check() -> None:
        if next(calls, None) is None:
            raise KBError("stop")

    with pytest.raises(KBError, match="stop"):
        process.live_index.replace(file_named("a.md", 2_000), *document_of(*texts), check)
    assert process.found("red fox") == [FOX]
    process.assert_in_step()
