from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.catalog import vocabulary
from kb.catalog.catalog import SCHEMA_VERSION, Catalog
from kb.catalog.database import Database
from kb.catalog.vocabulary import Vocabulary
from kb.values.documents import Chunk, Document, FileVersion


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield catalog
    catalog.close()


@pytest.fixture
def database(catalog: Catalog, tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "catalog.sqlite3", "", SCHEMA_VERSION)
    yield database
    database.close()


@pytest.fixture
def add(catalog: Catalog) -> Callable[..., None]:
    def add(name: str, *texts: str) -> None:
        chunks = [Chunk(0, len(text), text) for text in texts]
        file = FileVersion("/notes", name, 10, 1_000, name)
        catalog.swap(name, file, Document(name, "text/markdown", "", ()), chunks, list(texts))

    return add


def put_texts(add: Callable[..., None], count: int) -> None:
    add("many", *("common" for _ in range(count)), *("other" for _ in range(3 * count)))


def test_rare_terms_weigh_more_and_unknown_ones_the_most(database: Database, add: Callable[..., None]) -> None:
    add("a", "common rare", *["common"] * 9)
    weights = Vocabulary(database).weights(["common", "rare", "unknown", "rare"])
    assert 0 < weights["common"] < weights["rare"] < weights["unknown"]


def test_rarest_terms_are_chosen_until_too_many_chunks_hold_them(database: Database, add: Callable[..., None]) -> None:
    add("a", "common often rare", *["common often"] * 4, *["common"] * 5, *["other"] * 30)
    found = Vocabulary(database)
    weights = found.weights(["common", "often", "rare"])
    assert found.rarest(weights, 100) == ["rare", "often", "common"]
    assert found.rarest(weights, 6) == ["rare", "often"]
    assert found.rarest(weights, 5) == ["rare"]
    assert found.rarest(weights, 0) == ["rare"]
    assert found.rarest({}, 100) == []


def test_holders_are_counted_by_document(database: Database, add: Callable[..., None]) -> None:
    add("a", "whale", "whale again", "fox")
    add("b", "a whale")
    add("c", "nothing")
    found = Vocabulary(database)
    assert found.holders("whale") == {"a": 2, "b": 1}
    assert found.telling("fox") > found.telling("whale") > found.telling("nothing of it") - 10
    assert found.telling("unknown") > found.telling("fox")


def test_counts_of_common_terms_outlive_small_changes_and_no_great_ones(
    database: Database, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "_COMMON", 50)
    put_texts(add, 100)
    first = Vocabulary(database)
    weight = first.weights(["common"])["common"]
    add("few", "common", "rare")
    again = Vocabulary(database, before=first)
    assert again.weights(["common"])["common"] == pytest.approx(weight, abs=0.02)
    assert again.weights(["rare"])["rare"] < again.weights(["unknown"])["unknown"]
    add("more", *["common"] * 100)
    assert Vocabulary(database, before=again).weights(["common"])["common"] < 0.8 * weight
