import numpy as np
import pytest

from kb.catalog.catalog import Catalog
from tests.kb.catalog.catalog_harness import add


def test_vectors_come_back_in_the_order_asked_for(catalog: Catalog) -> None:
    vectors = np.random.default_rng(0).normal(size=(1200, 8)).astype(np.float32)
    hashes = [f"h{i}" for i in range(1200)]
    catalog.embeddings.put("m", hashes, vectors)
    order = np.random.default_rng(1).permutation(1200)
    loaded = catalog.embeddings.get("m", [hashes[i] for i in order])
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, vectors[order])
    np.testing.assert_array_equal(catalog.embeddings.get("m", ["h3", "h3"]), vectors[[3, 3]])
    assert catalog.embeddings.known("m", ["h1", "h2", "unknown"]) == {"h1", "h2"}


def test_vectors_of_another_model_are_not_taken_for_these(catalog: Catalog) -> None:
    catalog.embeddings.put("m", ["h"], np.ones((1, 2), np.float32))
    assert catalog.embeddings.known("other", ["h"]) == set()
    with pytest.raises(KeyError):
        catalog.embeddings.get("other", ["h"])


def test_only_vectors_of_texts_that_nobody_has_are_dropped(catalog: Catalog) -> None:
    add(catalog, "d1", "kept")
    catalog.embeddings.put("m", ["hash of kept", "hash of gone"], np.ones((2, 2), np.float32))
    catalog.embeddings.drop_unused()
    assert catalog.embeddings.known("m", ["hash of kept", "hash of gone"]) == {"hash of kept"}
