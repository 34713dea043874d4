import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kb.adapters.chroma.local import ChromaIndex, ChromaStores
from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.errors import StorageError
from kb.indexing.startup import open_index
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder, FakeVectorIndex
from tests.kb.indexing.index_harness import FOX, WHALE, running

MANY = 1300
"""Chroma writes its files from a thousand vectors on."""


@pytest.fixture(scope="module")
def large_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("large") / "home"
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(*map(text, range(MANY)))
        assert len(process.index.ids()) == MANY
    return home


def text(number: int) -> str:
    """Texts that have little in common, as an approximate index finds near ones only most of the time."""
    return " ".join(f"{(number + 1) * factor % 10_007:x}" for factor in (7919, 6271, 5501, 4801, 3907, 3001))


def chroma_files(home: Path) -> list[Path]:
    return sorted(path for path in (home / "chroma").rglob("*") if path.is_file())


def generations(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "chroma").iterdir())


def assert_heals(home: Path) -> str:
    """A start finds everything by its vector, and the embedding model embeds nothing; gives the generation."""
    with running(home, ChromaStores(home / "chroma")) as process:
        process.assert_in_step()
        assert process.embedder.embedded == []
        for number in range(0, MANY, 13):
            vector = process.embedder.embed_query(text(number))
            _, similarity = process.index.search(vector, 1)[0]
            assert similarity == pytest.approx(1.0, abs=1e-4), "its vector is there, not only its id"
        process.write(WHALE, source="new.md")
        assert WHALE in process.found("the blue whale")
        process.assert_in_step()
        assert generations(home) == [process.generation]
        return process.generation


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "short of its end": lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.95)]),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name",
    [
        "chroma.sqlite3",
        "data_level0.bin",
        "header.bin",
        "index_metadata.pickle",
        "length.bin",
        "link_lists.bin",
    ],
)
def test_store_with_any_file_damaged_is_made_anew_and_embeds_nothing(
    large_home: Path, home: Path, name: str, damage: str
) -> None:
    shutil.copytree(large_home, home)
    (path,) = (home / "chroma").rglob(name)
    DAMAGES[damage](path)
    assert_heals(home)


def test_the_files_of_a_store_are_those_that_are_damaged_above(large_home: Path) -> None:
    assert {path.name for path in chroma_files(large_home)} == {
        "chroma.sqlite3",
        "data_level0.bin",
        "header.bin",
        "index_metadata.pickle",
        "length.bin",
        "link_lists.bin",
    }


@pytest.mark.parametrize("damage", DAMAGES)
def test_small_store_with_its_database_damaged_is_made_anew(home: Path, damage: str) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(WHALE, FOX)
    (path,) = (home / "chroma").rglob("chroma.sqlite3")
    DAMAGES[damage](path)
    with running(home, ChromaStores(home / "chroma")) as process:
        process.assert_in_step()
        assert process.embedder.embedded == []


def test_sound_index_is_opened_and_not_made_anew(home: Path) -> None:
    stores = ChromaStores(home / "chroma")
    with running(home, stores) as process:
        process.write(WHALE)
        before = process.generation
    with running(home, stores) as process:
        assert process.generation == before
        assert process.maintain() == 0


def test_index_of_a_version_without_generations_and_leftovers_are_removed(home: Path) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(WHALE)
    old_place = ChromaIndex(home / "chroma", "fake")
    old_place.upsert(["a"], FakeEmbedder().embed_passages(["a"]))
    old_place.close()
    ChromaStores(home / "chroma").create("left-over", "fake").close()
    with running(home, ChromaStores(home / "chroma")) as process:
        assert generations(home) == [process.generation]
        assert process.found("blue whale") == [WHALE]


def test_index_that_cannot_be_recorded_is_closed_again(home: Path) -> None:
    class Closable(FakeVectorIndex):
        is_closed = False

        def close(self) -> None:
            self.is_closed = True

    home.mkdir()
    index = Closable()
    with (
        closing(Catalog(home / "catalog.sqlite3")) as catalog,
        closing(sqlite3.connect(home / "catalog.sqlite3")) as disk,
    ):
        disk.execute("CREATE TRIGGER full BEFORE INSERT ON facts BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
        with pytest.raises(StorageError, match="disk is full"):
            open_index(catalog, FakeIndexStores(lambda: index), Space("fake"), FakeEmbedder(), lambda space: None)
    assert index.is_closed
