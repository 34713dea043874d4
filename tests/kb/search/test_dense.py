from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kb.catalog.catalog import Catalog
from kb.ports import Vectors
from kb.search.dense import nearest, split_vector_id, vector_id
from kb.values.documents import Chunk, Document, FileVersion
from kb.values.filters import EVERYTHING, Filters
from tests.fakes import FakeVectorIndex

SPACE = "model#1"
DIMENSION = 16
QUERY = np.eye(DIMENSION, dtype=np.float32)[0]


class CountingIndex(FakeVectorIndex):
    """Notes how many results it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        self.asked.append(k)
        return super().search(vector, k)


class Library:
    """A catalog and an index in step; the vectors of a document stand at the cosines that are given."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.index = CountingIndex()

    def add(self, document_id: str, *cosines: float, source: str = "") -> None:
        chunks = [Chunk(number, number + 1, "x", tokens=1) for number in range(len(cosines))]
        hashes = [f"{document_id} {number}" for number in range(len(cosines))]
        file = FileVersion("/notes", source or f"{document_id}.md", 1, 1, "hash")
        self.catalog.swap(document_id, file, Document("", "", "x" * len(cosines), ()), chunks, hashes)
        vectors = np.zeros((len(cosines), DIMENSION), dtype=np.float32)
        vectors[:, 0] = cosines
        vectors[:, 1] = np.sqrt(1 - vectors[:, 0] ** 2)
        self.catalog.embeddings.put(SPACE, hashes, vectors)
        self.index.upsert([vector_id(document_id, key) for key in hashes], vectors)

    def found(self, k: int, filters: Filters) -> list[tuple[str, float]]:
        hits = nearest(self.catalog, self.index, SPACE, QUERY, k, filters)
        return [(key, round(cosine, 3)) for key, cosine in hits]


@pytest.fixture
def knowledge_base(tmp_path: Path) -> Iterator[Library]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield Library(catalog)
    catalog.close()


def cosines(count: int, low: float, high: float) -> list[float]:
    return [float(cosine) for cosine in np.linspace(low, high, count)]


def expected(document_id: str, values: list[float], k: int) -> list[tuple[str, float]]:
    best = sorted(enumerate(values), key=lambda pair: -pair[1])[:k]
    return [(f"{document_id}:{document_id} {number}", round(cosine, 3)) for number, cosine in best]


def test_without_filters_the_index_is_asked_once_for_no_more_than_is_wanted(knowledge_base: Library) -> None:
    knowledge_base.add("a", *cosines(30, 0.1, 0.9))
    assert knowledge_base.found(5, EVERYTHING) == expected("a", cosines(30, 0.1, 0.9), 5)
    assert knowledge_base.index.asked == [5]


def test_without_an_index_nothing_is_found(knowledge_base: Library) -> None:
    knowledge_base.add("a", 0.9)
    for filters in (EVERYTHING, Filters(document_ids=("a",))):
        assert nearest(knowledge_base.catalog, None, SPACE, QUERY, 5, filters) == []


def test_few_chunks_are_compared_one_by_one_however_far_they_are(knowledge_base: Library) -> None:
    knowledge_base.add("near", *cosines(200, 0.5, 0.9))
    far = cosines(8, -0.9, -0.1)
    knowledge_base.add("far", *far)
    assert knowledge_base.found(5, Filters(document_ids=("far",))) == expected("far", far, 5)
    assert knowledge_base.index.asked == []


def test_many_chunks_are_looked_for_in_the_index(knowledge_base: Library) -> None:
    knowledge_base.add("other", *cosines(100, 0.1, 0.95))
    many = cosines(100, 0.1, 0.9)
    knowledge_base.add("many", *many)
    assert knowledge_base.found(5, Filters(document_ids=("many",))) == expected("many", many, 5)
    assert knowledge_base.index.asked == [20]


def test_more_is_asked_of_the_index_while_too_few_pass(knowledge_base: Library) -> None:
    knowledge_base.add("near", *cosines(40, 0.8, 0.9))
    many = cosines(200, 0.1, 0.7)
    knowledge_base.add("many", *many)
    assert knowledge_base.found(5, Filters(document_ids=("many",))) == expected("many", many, 5)
    assert knowledge_base.index.asked == [12, 48]


def test_what_the_index_hides_too_well_is_compared_one_by_one(knowledge_base: Library) -> None:
    knowledge_base.add("near", *cosines(900, 0.8, 0.9))
    many = cosines(200, 0.1, 0.7)
    knowledge_base.add("many", *many)
    assert knowledge_base.found(5, Filters(document_ids=("many",))) == expected("many", many, 5)
    assert knowledge_base.index.asked == [55, 220]


def test_all_that_pass_are_found_where_there_are_fewer_than_wanted(knowledge_base: Library) -> None:
    knowledge_base.add("a", 0.3, 0.6)
    knowledge_base.add("b", *cosines(50, 0.1, 0.9))
    assert knowledge_base.found(50, Filters(document_ids=("a",))) == [("a:a 1", 0.6), ("a:a 0", 0.3)]


def test_documents_in_great_number_are_compared_to_the_last(knowledge_base: Library) -> None:
    for number in range(205):
        knowledge_base.add(f"d{number}", -0.1 if number in (0, 99) else -0.5, source=f"x/{number}.md")
    knowledge_base.add("near", *cosines(700, 0.6, 0.8))
    assert sorted(knowledge_base.found(2, Filters(folders=("x",)))) == [("d0:d0 0", -0.1), ("d99:d99 0", -0.1)]


def test_no_match_is_nothing_and_asks_nobody(knowledge_base: Library) -> None:
    knowledge_base.add("a", *cosines(30, 0.1, 0.9))
    assert knowledge_base.found(5, Filters(document_ids=("unknown",))) == []
    assert knowledge_base.index.asked == []


def test_text_that_stands_twice_in_a_document_is_found_once(knowledge_base: Library) -> None:
    knowledge_base.add("a", 0.5)
    chunks = [Chunk(0, 1, "x"), Chunk(1, 2, "x")]
    file = FileVersion("/notes", "a.md", 1, 1, "hash")
    knowledge_base.catalog.swap("a", file, Document("", "", "xx", ()), chunks, ["a 0", "a 0"])
    assert knowledge_base.found(5, Filters(document_ids=("a",))) == [("a:a 0", 0.5)]


def test_vectors_of_another_space_and_chunks_without_one_are_passed_over(knowledge_base: Library) -> None:
    knowledge_base.add("a", 0.5, 0.6)
    knowledge_base.catalog.embeddings.put("other", ["a 0"], np.ones((1, 3), dtype=np.float32))
    file = FileVersion("/notes", "a.md", 1, 1, "hash")
    chunks = [Chunk(0, 1, "x"), Chunk(1, 2, "y")]
    knowledge_base.catalog.swap("a", file, Document("", "", "xy", ()), chunks, ["a 0", "not embedded"])
    assert knowledge_base.found(5, Filters(document_ids=("a",))) == [("a:a 0", 0.5)]


def test_vector_id_can_be_taken_apart() -> None:
    assert split_vector_id(vector_id("d1", "0af3")) == ("d1", "0af3")
