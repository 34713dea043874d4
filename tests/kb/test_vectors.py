"""What only the Chroma adapter has: files, and what happens when they are damaged."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kb import vectors
from kb.errors import StorageError
from kb.ports import Vectors
from kb.retrieval import open_index
from kb.vectors import ChromaIndex, is_sound

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
    return shutil.copytree(undamaged, tmp_path / "chroma")


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def test_store_is_there_again_when_it_is_opened_again(store: Path) -> None:
    assert is_sound(store)
    index = ChromaIndex(store, MODEL)
    assert len(index.ids()) == SIZE
    assert index.search(unit_vectors()[7], 1)[0][0] == "v7"
    index.close()


def test_each_embedding_model_has_vectors_of_its_own(store: Path) -> None:
    index = ChromaIndex(store, "another model")
    assert index.ids() == set()
    index.upsert(["a"], np.eye(1, 8, dtype=np.float32))
    index.close()
    index = ChromaIndex(store, MODEL)
    assert len(index.ids()) == SIZE
    index.close()


def test_store_that_is_not_there_is_sound_and_is_made(tmp_path: Path) -> None:
    assert is_sound(tmp_path / "chroma")
    index = open_index(tmp_path / "chroma", MODEL)
    assert index.ids() == set()
    index.close()


# The first of these kills a process that reads, the second one that writes; the third loses vectors without a word.
@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("link_lists.bin", 0.0),
        ("header.bin", 0.5),
        ("data_level0.bin", 0.95),
    ],
    ids=["links", "header", "data"],
)
def test_store_with_a_truncated_file_is_noticed_and_made_anew(store: Path, name: str, share: float) -> None:
    (path,) = store.rglob(name)
    cut(path, share)
    index = open_index(store, MODEL)
    assert index.ids() == set()
    index.upsert(["a"], unit_vectors()[:1])
    assert index.search(unit_vectors()[0], 1)[0][0] == "a"
    index.close()


def test_probe_that_does_not_come_back_is_a_bad_sign(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "PROBE_SECONDS", 0.01)
    assert not is_sound(store)


def test_file_in_the_place_of_the_store_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "chroma"
    path.write_text("in the way")
    with pytest.raises(StorageError, match=str(path)):
        ChromaIndex(path, MODEL)


def test_removed_store_is_gone(store: Path) -> None:
    vectors.remove(store)
    assert not store.exists()
    vectors.remove(store)
