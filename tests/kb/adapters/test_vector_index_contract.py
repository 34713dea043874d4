"""What every adapter of the port `VectorIndex` must do, and the fake as well."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.chroma.local import ChromaIndex
from kb.adapters.chroma.server import ChromaServerStores
from kb.errors import VectorIndexError
from kb.ports import VectorIndex, Vectors
from tests.chroma_server import ChromaServerProcess
from tests.fakes import FakeVectorIndex

DIMENSION = 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServerProcess]:
    server = ChromaServerProcess(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture(params=["fake", "chroma", "chroma server"])
def index(request: pytest.FixtureRequest, tmp_path: Path, server: ChromaServerProcess) -> Iterator[VectorIndex]:
    def on_server() -> VectorIndex:
        if not server.is_running:
            server.start()
        return ChromaServerStores(server.url, tmp_path / "owner").create("one", "model")

    makers: dict[str, Callable[[], VectorIndex]] = {
        "fake": FakeVectorIndex,
        "chroma": lambda: ChromaIndex(tmp_path / "chroma", "model"),
        "chroma server": on_server,
    }
    index = makers[request.param]()
    yield index
    index.close()


def unit_vectors(n: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(n, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def names(n: int) -> list[str]:
    return [f"v{i}" for i in range(n)]


def test_empty_index_finds_nothing(index: VectorIndex) -> None:
    assert index.search(unit_vectors(1)[0], 5) == []
    assert index.ids() == set()


def test_search_gives_the_nearest_first_with_their_cosine(index: VectorIndex) -> None:
    vectors, (query,) = unit_vectors(200), unit_vectors(1, seed=1)
    index.upsert(names(200), vectors)
    cosines = vectors @ query
    expected = [f"v{i}" for i in np.argsort(-cosines)[:10]]
    found = index.search(query, 10)
    assert [key for key, _ in found] == expected
    assert [similarity for _, similarity in found] == pytest.approx(sorted(cosines, reverse=True)[:10], abs=1e-4)


def test_cosine_of_equal_and_opposite_vectors_stays_within_its_range(index: VectorIndex) -> None:
    vectors = unit_vectors(50)
    index.upsert(names(50), vectors)
    index.upsert(["opposite"], -vectors[:1])
    for vector in vectors:
        assert all(-1.0 <= similarity <= 1.0 + 1e-6 for _, similarity in index.search(vector, 51))
    nearest, *_, farthest = index.search(vectors[0], 51)
    assert nearest == ("v0", pytest.approx(1.0, abs=1e-5))
    assert farthest == ("opposite", pytest.approx(-1.0, abs=1e-5))


def test_search_for_more_than_there_is_gives_all(index: VectorIndex) -> None:
    index.upsert(names(3), unit_vectors(3))
    assert len(index.search(unit_vectors(1)[0], 50)) == 3


def test_upsert_of_a_known_id_replaces_its_vector(index: VectorIndex) -> None:
    one, other = unit_vectors(2)
    index.upsert(["a", "b"], np.stack([one, one]))
    index.upsert(["a"], other[None])
    assert index.ids() == {"a", "b"}
    assert index.search(other, 1) == [("a", pytest.approx(1.0, abs=1e-5))]
    assert index.search(one, 1) == [("b", pytest.approx(1.0, abs=1e-5))]


def test_deleted_vector_is_not_found(index: VectorIndex) -> None:
    vectors = unit_vectors(20)
    index.upsert(names(20), vectors)
    index.delete(key for key in ["v3", "v4", "never there"])
    assert index.ids() == set(names(20)) - {"v3", "v4"}
    assert "v3" not in [key for key, _ in index.search(vectors[3], 20)]


def test_nothing_can_be_added_and_deleted(index: VectorIndex) -> None:
    index.upsert([], np.empty((0, DIMENSION), np.float32))
    index.delete([])
    assert index.ids() == set()


def test_many_at_once_are_no_matter(index: VectorIndex) -> None:
    vectors = unit_vectors(5500)  # Chroma takes at most 5461 at once
    index.upsert(names(5500), vectors)
    assert len(index.ids()) == 5500
    assert index.search(vectors[5499], 1)[0][0] == "v5499"
    index.delete(names(5400))
    assert len(index.search(vectors[0], 200)) == 100


def test_cleared_index_is_empty_and_takes_vectors_of_another_length(index: VectorIndex) -> None:
    index.upsert(names(3), unit_vectors(3))
    index.clear()
    assert index.ids() == set()
    index.upsert(["a"], np.eye(1, 8, dtype=np.float32))
    assert [key for key, _ in index.search(np.eye(1, 8, dtype=np.float32)[0], 3)] == ["a"]


def test_vector_of_another_length_is_refused(index: VectorIndex) -> None:
    index.upsert(names(3), unit_vectors(3))
    with pytest.raises(VectorIndexError):
        index.upsert(["a"], np.eye(1, 8, dtype=np.float32))


def test_ids_that_are_not_unique_are_refused(index: VectorIndex) -> None:
    with pytest.raises(VectorIndexError):
        index.upsert(["a", "a"], unit_vectors(2))


def test_search_while_another_thread_writes(index: VectorIndex) -> None:
    vectors = unit_vectors(300)
    index.upsert(["stays"], vectors[:1])
    stopped = threading.Event()

    def write() -> None:
        for i in range(1, 30):
            index.upsert([f"v{i}"], vectors[i : i + 1])
            index.delete([f"v{i - 1}"])
        stopped.set()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        while not stopped.is_set() and not writer.done():
            assert index.search(vectors[0], 1)[0][0] == "stays"
        writer.result()
    assert index.ids() == {"stays", "v29"}
