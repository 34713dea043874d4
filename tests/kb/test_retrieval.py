from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.catalog import Catalog
from kb.errors import KBError, StorageError
from kb.ports import VectorIndex, Vectors
from kb.retrieval import EMBEDDINGS_PER_COMMIT, Retrieval, open_index
from kb.search import vector_id
from kb.types import Chunk, Document, FileVersion
from tests.fakes import FakeEmbedder, FakeVectorIndex

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
            raise StorageError(f"failed at {name}")


@dataclass
class Setup:
    catalog: Catalog
    embedder: FakeEmbedder
    index: VectorIndex

    def __post_init__(self) -> None:
        self.retrieval = Retrieval(self.catalog, self.embedder, self.index)

    def write(self, *texts: str, source: str = "a.md", context: str = "") -> str:
        chunks, start = [], 0
        for text in texts:
            chunks.append(Chunk(start, start + len(text), text, context=context, tokens=len(text)))
            start += len(text) + 1
        document = Document(source, "text/markdown", "\n".join(texts), ())
        return self.retrieval.replace(file_named(source), document, chunks, lambda: None)

    def restart(self, index: VectorIndex | None = None, embedder: FakeEmbedder | None = None) -> "Setup":
        again = Setup(self.catalog, embedder or FakeEmbedder(self.embedder.identity), index or self.index)
        again.retrieval.sweep()
        return again

    def found(self, query: str) -> list[str]:
        return [passage.text for passage in self.retrieval.retriever.passages(query, 10)]

    def assert_in_step(self) -> None:
        """Every chunk has its vector, and no vector is without a chunk."""
        keys = self.catalog.chunk_keys()
        assert self.index.ids() == {vector_id(*key) for key in keys}
        assert self.catalog.embedded(self.embedder.identity, [text for _, text in keys]) == {text for _, text in keys}


def file_named(source: str) -> FileVersion:
    return FileVersion("/notes", source, 10, 1_000, "content")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield catalog
    catalog.close()


@pytest.fixture(params=["fake index", "chroma"])
def setup(request: pytest.FixtureRequest, catalog: Catalog, tmp_path: Path) -> Iterator[Setup]:
    make: Callable[[], VectorIndex]
    make = FakeVectorIndex if request.param == "fake index" else lambda: open_index(tmp_path / "chroma", "fake")
    setup = Setup(catalog, FakeEmbedder(), make())
    yield setup
    setup.index.close()


@pytest.fixture
def brittle(catalog: Catalog) -> Setup:
    return Setup(catalog, FakeEmbedder(), BrittleIndex())


def test_what_was_written_is_found(setup: Setup) -> None:
    setup.write(WHALE, source="a.md")
    setup.write(CAT, source="b.md")
    assert setup.found("blue whale")[0] == WHALE
    assert setup.found("猫在知识库吗")[0] == CAT
    setup.assert_in_step()


def test_edit_embeds_only_the_texts_that_are_new(setup: Setup) -> None:
    first = setup.write(WHALE, FOX)
    assert sorted(setup.embedder.embedded) == sorted([WHALE, FOX])
    setup.embedder.embedded.clear()
    assert setup.write(WOLF, WHALE) == first
    assert setup.embedder.embedded == [WOLF]
    assert setup.found("fox whale wolf") == [f"{WOLF}\n{WHALE}"]
    setup.assert_in_step()


def test_text_with_another_context_is_embedded_with_it(setup: Setup) -> None:
    setup.write(WHALE, context="Animals")
    setup.write(WHALE, context="Sea › Animals")
    assert setup.embedder.embedded == [f"Animals\n{WHALE}", f"Sea › Animals\n{WHALE}"]
    setup.assert_in_step()


def test_same_text_is_embedded_once_wherever_it_stands(setup: Setup) -> None:
    setup.write(WHALE, FOX, WHALE, source="a.md")
    setup.write(WHALE, source="b.md")
    assert sorted(setup.embedder.embedded) == sorted([WHALE, FOX])
    assert len(setup.index.ids()) == 3
    setup.retrieval.remove(setup.catalog.document_id("/notes", "a.md") or "")
    assert setup.found("blue whale") == [WHALE]
    setup.assert_in_step()


def test_removed_document_is_not_found_any_more(setup: Setup) -> None:
    document_id = setup.write(WHALE)
    setup.retrieval.remove(document_id)
    assert setup.found("blue whale") == []
    assert setup.index.ids() == set()
    setup.retrieval.remove(document_id)


def test_document_without_text_is_kept_with_no_chunks(setup: Setup) -> None:
    setup.write(WHALE)
    setup.write()
    assert setup.catalog.counts() == (1, 0)
    setup.assert_in_step()


def test_lost_index_is_filled_again_without_the_embedding_model(setup: Setup) -> None:
    setup.write(WHALE, FOX, source="a.md")
    setup.write(CAT, source="b.md")
    setup.index.clear()
    assert setup.found("blue whale") == [WHALE], "by its words alone"
    again = setup.restart()
    again.assert_in_step()
    assert again.embedder.embedded == []
    assert again.found("blue whale")[0].startswith(WHALE)


def test_more_than_a_commit_of_texts_is_embedded_and_indexed(setup: Setup) -> None:
    texts = [f"the text number {i}" for i in range(2 * EMBEDDINGS_PER_COMMIT + 5)]
    setup.write(*texts)
    assert sorted(setup.embedder.embedded) == sorted(texts)
    setup.assert_in_step()
    setup.index.clear()
    setup.restart().assert_in_step()


@pytest.mark.parametrize("step", ["upsert", "after upsert", "delete"])
def test_crash_while_replacing_leaves_one_version_and_the_sweep_puts_all_in_step(brittle: Setup, step: str) -> None:
    brittle.write(WHALE, FOX)
    assert isinstance(brittle.index, BrittleIndex)
    brittle.index.fails_at = step
    with pytest.raises(StorageError):
        brittle.write(WOLF)
    expected = [WOLF] if step == "delete" else [f"{WHALE}\n{FOX}"]
    assert brittle.found("whale fox wolf") == expected
    brittle.index.fails_at = ""
    again = brittle.restart()
    again.assert_in_step()
    assert again.found("whale fox wolf") == expected
    again.write(WOLF)
    assert again.found("whale fox wolf") == [WOLF]
    again.assert_in_step()


def test_crash_while_removing_removes(brittle: Setup) -> None:
    document_id = brittle.write(WHALE)
    assert isinstance(brittle.index, BrittleIndex)
    brittle.index.fails_at = "delete"
    with pytest.raises(StorageError):
        brittle.retrieval.remove(document_id)
    assert brittle.found("whale") == []
    brittle.index.fails_at = ""
    brittle.restart().assert_in_step()


def test_interrupted_work_is_taken_up_where_it_was(setup: Setup) -> None:
    texts = [f"the text number {i:03}" for i in range(3 * EMBEDDINGS_PER_COMMIT)]
    chunks = [Chunk(0, len(text), text, tokens=3) for text in texts]
    calls = 0

    def stop_at_the_third() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KBError("closing")

    document = Document("a", "text/markdown", "\n".join(texts), ())
    with pytest.raises(KBError, match="closing"):
        setup.retrieval.replace(file_named("a.md"), document, chunks, stop_at_the_third)
    assert setup.catalog.counts() == (0, 0)
    assert len(setup.embedder.embedded) == 2 * EMBEDDINGS_PER_COMMIT
    setup.retrieval.replace(file_named("a.md"), document, chunks, lambda: None)
    assert sorted(setup.embedder.embedded) == texts


def test_a_restart_keeps_embeddings_of_work_that_was_cut_off(setup: Setup) -> None:
    setup.write(WHALE, FOX)
    setup.write(WHALE)
    setup.restart()
    setup.embedder.embedded.clear()
    setup.write(WHALE, FOX)
    assert setup.embedder.embedded == []


def test_another_embedding_model_embeds_everything_anew(setup: Setup) -> None:
    setup.write(WHALE, FOX, WHALE, source="a.md", context="Animals")
    setup.write(CAT, source="b.md")
    other = FakeEmbedder("another model")
    again = setup.restart(FakeVectorIndex(), other)
    assert sorted(other.embedded) == sorted([f"Animals\n{WHALE}", f"Animals\n{FOX}", CAT])
    again.assert_in_step()
    assert again.found("猫")[0] == CAT
    other.embedded.clear()
    again.restart(again.index, other)
    assert other.embedded == []
