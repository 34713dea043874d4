"""What only the Chroma adapter has: files, and what happens when they are damaged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.chroma import local as vectors
from kb.adapters.chroma.local import ChromaIndex, ChromaStores, is_sound
from kb.errors import StorageError, VectorIndexError
from kb.ports import Vectors
from tests.conftest import ROOT

SIZE = 1500
"""Chroma writes its files from a thousand vectors on."""

MODEL = "model"


def unit_vectors() -> Vectors:
    drawn = np.random.default_rng(0).normal(size=(SIZE, 16)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undamaged") / "chroma"
    index = ChromaIndex(path, MODEL)
    index.upsert([f"v{i}" for i in range(SIZE)], unit_vectors())
    index.close()
    return path


@pytest.fixture
def store(undamaged: Path, tmp_path: Path) -> Path:
    return shutil.copytree(undamaged, tmp_path / "stores" / "chroma")


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def test_store_is_there_again_when_it_is_opened_again(store: Path) -> None:
    assert is_sound(store)
    index = ChromaIndex(store, MODEL)
    assert len(index.ids()) == SIZE
    assert index.search(unit_vectors()[7], 1)[0][0] == "v7"
    index.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("odd", ["CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI", "MIGRATIONS=odd"])
def test_a_file_in_the_working_directory_that_chroma_would_read_sets_nothing(store: Path, odd: str) -> None:
    (store.parent / ".env").write_text(f"{odd}\nCHROMA_SERVER_HOST=192.0.2.7\nCHROMA_SERVER_HTTP_PORT=99\n")
    program = (
        "import sys; from pathlib import Path; from kb.adapters.chroma.local import ChromaIndex\n"
        "print(len(ChromaIndex(Path(sys.argv[1]), sys.argv[2]).ids()))"
    )
    command = [sys.executable, "-c", program, str(store), MODEL]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CHROMA_OTEL_GRANULARITY": "odd"}
    done = subprocess.run(command, cwd=store.parent, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(SIZE)]


def test_each_embedding_model_has_vectors_of_its_own(store: Path) -> None:
    index = ChromaIndex(store, "another model")
    assert index.ids() == set()
    index.upsert(["a"], np.eye(1, 8, dtype=np.float32))
    index.close()
    index = ChromaIndex(store, MODEL)
    assert len(index.ids()) == SIZE
    index.close()


def test_store_that_is_not_there_is_not_opened_and_can_be_made(tmp_path: Path) -> None:
    stores = ChromaStores(tmp_path / "chroma")
    assert stores.open("one", MODEL) is None
    index = stores.create("one", MODEL)
    index.upsert(["a"], unit_vectors()[:1])
    index.close()
    again = stores.open("one", MODEL)
    assert again is not None
    assert again.ids() == {"a"}
    again.close()
    assert sys.platform == "win32" or (tmp_path / "chroma").stat().st_mode & 0o077 == 0


# The first kills a process that reads, the second one that writes; the third loses vectors without a word; the last
# makes some searches fail. What the other files do is tried where the index is made anew.
@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("link_lists.bin", 0.0),
        ("header.bin", 0.5),
        ("data_level0.bin", 0.95),
        ("link_lists.bin", 0.95),
    ],
    ids=["links", "header", "data", "a few links"],
)
def test_store_with_a_truncated_file_is_noticed_and_not_opened(store: Path, name: str, share: float) -> None:
    (path,) = store.rglob(name)
    if name == "link_lists.bin" and share == 0.0:
        path.unlink()
    else:
        cut(path, share)
    assert not is_sound(store)
    assert ChromaStores(store.parent).open(store.name, MODEL) is None


def test_only_what_is_named_is_kept(store: Path) -> None:
    stores = ChromaStores(store.parent)
    stores.create("other", MODEL).close()
    (store.parent / "chroma.sqlite3").write_bytes(b"of an older version")
    stores.keep_only(store.name)
    assert [path.name for path in store.parent.iterdir()] == [store.name]
    ChromaStores(store / "nothing here").keep_only()


def test_new_store_holds_nothing_that_lay_about_in_memory(tmp_path: Path) -> None:
    """It writes room for a hundred vectors with the first one."""
    for number in range(20):
        litter = [bytes([7]) * size for size in range(1000, 40_000, 100)]
        del litter
        index = ChromaIndex(tmp_path / str(number), MODEL)
        index.upsert(["a", "b"], unit_vectors()[:2])
        index.close()
        (path,) = (tmp_path / str(number)).rglob("data_level0.bin")
        assert set(path.read_bytes()) <= {0}


def test_probe_that_does_not_come_back_is_a_bad_sign(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "PROBE_SECONDS", 0.01)
    assert not is_sound(store)


def test_trying_a_store_out_imports_nothing_from_the_working_directory(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "json"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w').close()")
    monkeypatch.chdir(tmp_path)
    assert is_sound(store)
    assert not (tmp_path / "imported").exists()


def test_store_that_cannot_be_tried_out_is_a_storage_error(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(VectorIndexError, match="no process can be started"):
        is_sound(store)


def test_file_in_the_place_of_the_store_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "chroma"
    path.write_text("in the way")
    with pytest.raises(VectorIndexError, match=str(path)):
        ChromaIndex(path, MODEL)


def test_removed_store_is_gone(store: Path) -> None:
    vectors.remove(store)
    assert not store.exists()
    vectors.remove(store)


def test_nothing_is_written_where_the_disk_is_nearly_full(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = ChromaIndex(store, MODEL)
    monkeypatch.setattr(vectors, "ROOM_BYTES", 1 << 62)
    for write in (lambda: index.upsert(["new"], unit_vectors()[:1]), lambda: index.delete(["v7"]), index.clear):
        with pytest.raises(StorageError, match="nearly full") as caught:
            write()
        assert "free some space" in caught.value.hint
    with pytest.raises(StorageError, match="nearly full"):
        ChromaStores(store.parent).create("another", MODEL)
    assert index.search(unit_vectors()[7], 1)[0][0] == "v7"
    assert len(index.ids()) == SIZE
    index.close()


def test_store_in_which_a_write_has_failed_is_closed_and_says_so_at_once(store: Path) -> None:
    index = ChromaIndex(store, MODEL)
    shutil.rmtree(store)
    with pytest.raises(VectorIndexError):
        index.upsert(["new"], unit_vectors()[:1])
    with pytest.raises(VectorIndexError, match="has failed, or is closed") as caught:
        index.search(unit_vectors()[7], 1)
    assert "made anew by itself" in caught.value.hint
