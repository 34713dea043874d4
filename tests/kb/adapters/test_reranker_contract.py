"""What every adapter of the port `Reranker` must do, and the fake as well."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kb.adapters.cross_encoder import CrossEncoderReranker
from kb.errors import ModelError, ModelLoadError
from kb.ports import Reranker
from tests.fakes import FakeReranker
from tests.text_doubles import SERVERS, reranker_on
from tests.tiny_cross_encoder import MAX_TOKENS, write_tiny_cross_encoder

pytestmark = pytest.mark.timeout(120)  # the first to import the libraries

QUESTION = "the dome opens"
TEXTS = ["the dome opens", "bread is baked", "the dome is bread", "圆顶", "nine"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cross_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def real(folder: Path) -> Reranker:
    return CrossEncoderReranker(folder, "tiny")


@pytest.fixture(params=["fake", "sentence-transformers", *SERVERS])
def reranker(request: pytest.FixtureRequest) -> Iterator[Reranker]:
    if request.param == "fake":
        yield FakeReranker()
    elif request.param in SERVERS:
        with reranker_on(request.param()) as on_server:
            yield on_server
    else:
        yield request.getfixturevalue("real")


def test_each_text_has_a_score_and_not_all_are_alike(reranker: Reranker) -> None:
    scores = reranker.scores(QUESTION, TEXTS)
    assert (scores.shape, scores.dtype) == ((len(TEXTS),), np.float32)
    assert len(set(scores.tolist())) == len(TEXTS)
    assert reranker.identity


def test_scores_come_in_the_order_of_the_texts(reranker: Reranker) -> None:
    texts = TEXTS * 8  # several batches
    scores = reranker.scores(QUESTION, texts)
    for i in (0, 7, 21, 39):
        np.testing.assert_allclose(scores[i], reranker.scores(QUESTION, [texts[i]])[0], atol=1e-4)


def test_the_question_counts(reranker: Reranker) -> None:
    assert not np.allclose(reranker.scores("bread", TEXTS), reranker.scores("the dome opens", TEXTS))


def test_no_texts_have_no_scores(reranker: Reranker) -> None:
    assert reranker.scores(QUESTION, []).shape == (0,)


def test_text_of_any_length_has_a_score(reranker: Reranker) -> None:
    assert np.isfinite(reranker.scores(QUESTION, ["", " ", "dome " * 10 * MAX_TOKENS])).all()
    assert np.isfinite(reranker.scores("dome " * 10 * MAX_TOKENS, TEXTS)).all()


def test_several_threads_may_ask(reranker: Reranker) -> None:
    texts = [TEXTS, TEXTS[:1], ["dome " * 10 * MAX_TOKENS] * 20]
    expected = [reranker.scores(QUESTION, some) for some in texts]
    with ThreadPoolExecutor(6) as pool:
        for i, scores in enumerate(pool.map(lambda i: reranker.scores(QUESTION, texts[i % 3]), range(90))):
            np.testing.assert_allclose(scores, expected[i % 3], atol=1e-4)


@pytest.mark.parametrize("adapter", ["fake", "sentence-transformers"])
def test_closed_reranker_says_so(adapter: str, folder: Path) -> None:
    reranker = FakeReranker() if adapter == "fake" else CrossEncoderReranker(folder, "tiny")
    reranker.close()
    reranker.close()
    with pytest.raises(ModelError, match="closed"):
        reranker.scores(QUESTION, TEXTS)


def test_model_loads_without_a_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    assert CrossEncoderReranker(folder, "tiny").scores(QUESTION, TEXTS).shape == (len(TEXTS),)


def test_saturated_scores_are_still_told_apart(real: Reranker) -> None:
    assert real.scores(QUESTION, TEXTS).max() > 1 or real.scores(QUESTION, TEXTS).min() < 0, "a sigmoid was applied"


def test_classifier_is_the_wrong_kind_of_model(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="tiny has 3 scores for a text, not one") as caught:
        CrossEncoderReranker(write_tiny_cross_encoder(tmp_path, scores=3), "tiny")
    assert "KB_RERANKER" in caught.value.hint


def test_scores_that_are_no_numbers_are_an_error(tmp_path: Path) -> None:
    path = write_tiny_cross_encoder(tmp_path) / "model.safetensors"
    weights = load_file(path)
    weights["classifier.bias"][:] = np.nan
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="no numbers"):
        CrossEncoderReranker(tmp_path, "tiny").scores(QUESTION, TEXTS)


def test_embedding_model_is_the_wrong_kind_of_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(ModelLoadError, match="tiny is not a cross-encoder"):
        CrossEncoderReranker(tmp_path, "tiny")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_damaged_model_does_not_load_and_the_error_names_its_folder(tmp_path: Path, name: str) -> None:
    folder = write_tiny_cross_encoder(tmp_path)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelLoadError, match=str(folder)) as caught:
        CrossEncoderReranker(folder, "tiny")
    assert caught.value.hint
