import numpy as np

from server.measure.bench.synthetic import SyntheticEmbedder
from tests.fakes import FakeEmbedder

TEXTS = [f"text number {number}" for number in range(60)]


def test_questions_are_embedded_by_the_real_model() -> None:
    real = FakeEmbedder()
    np.testing.assert_array_equal(SyntheticEmbedder(real).embed_query("dome"), real.embed_query("dome"))


def test_vectors_of_documents_are_made_up_and_nobody_takes_them_for_real_ones() -> None:
    real = FakeEmbedder()
    embedder = SyntheticEmbedder(real)
    vectors = embedder.embed_passages(TEXTS)
    assert not set(TEXTS) & set(real.embedded)
    assert embedder.identity != real.identity
    assert (embedder.dimension, embedder.max_tokens) == (real.dimension, real.max_tokens)
    assert (vectors.shape, vectors.dtype) == ((60, real.dimension), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_same_text_gets_the_same_vector_again() -> None:
    first, again = SyntheticEmbedder(FakeEmbedder()), SyntheticEmbedder(FakeEmbedder())
    np.testing.assert_array_equal(first.embed_passages(TEXTS), again.embed_passages(TEXTS[::-1])[::-1])


def test_each_vector_lies_near_a_real_one() -> None:
    real = FakeEmbedder()
    embedder = SyntheticEmbedder(real)
    vectors = embedder.embed_passages(TEXTS)
    centres = real.embed_passages(real.embedded)
    nearest = (vectors @ centres.T).max(axis=1)
    assert nearest.min() > 0.9
    assert nearest.max() < 0.999


def test_no_texts_have_no_vectors_and_tokens_are_guessed() -> None:
    embedder = SyntheticEmbedder(FakeEmbedder())
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)
    assert embedder.count_tokens(["", "ten words " * 50, "圆顶九点" * 25]) == [0, 130, 70]
