"""The conversion of an embedding model and what computes with it, against the original in torch."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.embedding.onnx_embedder import OnnxEmbedder
from kb.adapters.embedding.onnx_export.convert import LEAST_AGREEMENT, convert
from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
from kb.errors import ModelLoadError
from kb.models.onnx_folder import model_path, read_conversion
from kb.ports import Vectors
from tests.tiny_e5 import POSITIONS, write_tiny_model

pytestmark = pytest.mark.timeout(120)  # the first to import torch

CLOSE = 0.9995
"""A graph that is wrong, by one position for instance, stays below this with the tiny model."""

TEXTS = ["green tea", "tea", "绿茶", "", "green s green s tea", "茶 tea " * 100]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def embedder(tiny: Path) -> OnnxEmbedder:
    return open_converted(tiny)


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    ours = shutil.ignore_patterns("model_int8.*")
    return Path(shutil.copytree(tiny, tmp_path / "model", ignore=ours))


def open_converted(folder: Path) -> OnnxEmbedder:
    conversion = convert(folder)
    assert conversion.refusal == ""
    return OnnxEmbedder(model_path(folder), folder / "tokenizer.json", conversion, "tiny+int8")


def change(path: Path, edit: Callable[[dict[str, object]], object]) -> None:
    config = json.loads(path.read_text("utf-8"))
    edit(config)
    path.write_text(json.dumps(config), "utf-8")


def agreement(folder: Path, embedder: OnnxEmbedder) -> Vectors:
    """Cosines with the original's vectors, for passages and for questions."""
    original = SentenceTransformerEmbedder(folder, "tiny")
    passages = (original.embed_passages(TEXTS) * embedder.embed_passages(TEXTS)).sum(axis=1)
    questions = [original.embed_query(text) @ embedder.embed_query(text) for text in TEXTS]
    return np.array([*passages, *questions])


def test_vectors_agree_with_the_originals(tiny: Path, embedder: OnnxEmbedder) -> None:
    assert agreement(tiny, embedder).min() > CLOSE


def test_limits_and_counts_are_the_originals(tiny: Path, embedder: OnnxEmbedder) -> None:
    original = SentenceTransformerEmbedder(tiny, "tiny")
    assert (embedder.dimension, embedder.max_tokens) == (original.dimension, original.max_tokens)
    assert embedder.count_tokens(TEXTS) == original.count_tokens(TEXTS)


def test_the_record_says_how_near_it_came(tiny: Path, embedder: OnnxEmbedder) -> None:
    conversion = read_conversion(tiny)
    assert conversion
    assert LEAST_AGREEMENT < conversion.agreement <= 1.001
    assert (conversion.query_prompt, conversion.passage_prompt) == ("query: ", "passage: ")


def test_a_vector_does_not_depend_on_its_neighbours(embedder: OnnxEmbedder) -> None:
    together = embedder.embed_passages(TEXTS)
    for i, text in enumerate(TEXTS):
        np.testing.assert_array_equal(together[i], embedder.embed_passages([text])[0])


def test_many_threads_get_what_one_gets(embedder: OnnxEmbedder) -> None:
    passages, question = embedder.embed_passages(TEXTS), embedder.embed_query("green tea")
    with ThreadPoolExecutor(8) as pool:
        many = [pool.submit(embedder.embed_passages, TEXTS) for _ in range(20)]
        questions = [pool.submit(embedder.embed_query, "green tea") for _ in range(50)]
        counts = [pool.submit(embedder.count_tokens, TEXTS) for _ in range(50)]
    for future in many:
        np.testing.assert_array_equal(future.result(), passages)
    for future in questions:
        np.testing.assert_array_equal(future.result(), question)
    assert all(future.result() == embedder.count_tokens(TEXTS) for future in counts)


def test_the_first_tokens_vector_can_stand_for_the_text(model: Path) -> None:
    (model / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    )
    first = open_converted(model)
    assert agreement(model, first).min() > CLOSE


def test_pooling_may_be_written_in_the_new_way(model: Path) -> None:
    (model / "1_Pooling" / "config.json").write_text(json.dumps({"embedding_dimension": 32, "pooling_mode": "cls"}))
    assert agreement(model, open_converted(model)).min() > CLOSE


def test_models_of_the_roberta_family_count_positions_from_behind_the_padding(model: Path) -> None:
    tokens = POSITIONS - 2
    change(model / "config.json", lambda config: config.update(model_type="xlm-roberta"))
    change(model / "config.json", lambda config: config.update(architectures=["XLMRobertaModel"]))
    change(model / "sentence_bert_config.json", lambda config: config.update(max_seq_length=tokens))
    embedder = open_converted(model)
    assert 0 < tokens - embedder.max_tokens < 10, "what the prompt and the two special tokens take"
    assert agreement(model, embedder).min() > CLOSE


def test_a_model_with_other_pooling_is_refused(model: Path) -> None:
    (model / "1_Pooling" / "config.json").write_text(json.dumps({"embedding_dimension": 32, "pooling_mode": "max"}))
    conversion = convert(model)
    assert "neither the mean nor the first" in conversion.refusal
    assert read_conversion(model) == conversion
    assert not list(model.glob("*.onnx*"))


def test_a_model_with_another_activation_is_refused(model: Path) -> None:
    change(model / "config.json", lambda config: config.update(hidden_act="relu"))
    assert convert(model).refusal == "its hidden_act is relu"


def test_a_conversion_that_differs_too_much_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.adapters.embedding.onnx_export.convert.LEAST_AGREEMENT", 1.1)
    assert "differ too much from the original's: mean cosine 1.000" in convert(model).refusal
    assert not list(model.glob("*.onnx*"))


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000)])
def test_a_damaged_file_does_not_load_and_the_error_names_its_folder(model: Path, content: bytes) -> None:
    conversion = convert(model)
    model_path(model).write_bytes(content)
    with pytest.raises(ModelLoadError, match=str(model)):
        OnnxEmbedder(model_path(model), model / "tokenizer.json", conversion, "m")
