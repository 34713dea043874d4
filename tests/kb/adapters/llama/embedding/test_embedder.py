"""An embedding model in llama.cpp: a real child process over tiny GGUF files."""

import re
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import psutil
import pytest

from kb.adapters.llama.embedding.context import BATCH_TOKENS
from kb.adapters.llama.embedding.embedder import LlamaEmbedder
from kb.errors import KBError, ModelError, ModelLoadError, ModelMissing
from kb.models.prefixes import prefixes_of
from kb.values.happenings import ChildRestarted, Happening
from tests.harness import eventually
from tests.tiny_gguf import tiny_chat
from tests.tiny_gguf_embedders import BERT_TOKENS, WIDTH, tiny_bert, tiny_qwen

pytestmark = pytest.mark.timeout(120)  # a child of low priority loads llama.cpp

TEXTS = ["The dome opens at nine.", "Bread is baked from flour.", "圆顶九点打开。"]


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaEmbedder]:
    path = tiny_qwen(tmp_path_factory.mktemp("models") / "Qwen3-Embedding-tiny-f32.gguf", TEXTS)
    embedder = LlamaEmbedder(path, "qwen")
    yield embedder
    embedder.close()


@pytest.fixture
def others() -> set[int]:
    """Processes that are none of the test's own."""
    return {child.pid for child in psutil.Process().children()}


def children(others: set[int]) -> list[psutil.Process]:
    alive = [child for child in psutil.Process().children() if child.pid not in others]
    return [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


def opened(path: Path) -> LlamaEmbedder:
    return LlamaEmbedder(path, "tiny")


def test_how_one_vector_is_made_of_many_is_what_the_header_says(tmp_path: Path) -> None:
    seen = []
    for pooling in (gguf.PoolingType.MEAN, gguf.PoolingType.CLS):
        embedder = opened(tiny_bert(tmp_path / f"{pooling.name}.gguf", TEXTS, pooling))
        assert (embedder.dimension, embedder.max_tokens) == (WIDTH, BERT_TOKENS - 2)
        seen.append(embedder.embed_passages(TEXTS))
        embedder.close()
    mean, cls = (vectors @ vectors.T for vectors in seen)
    assert mean[0, 1] < 0.5 < cls[0, 1], "the first token is the same in all texts"


def test_question_gets_the_prompt_of_its_model_and_a_passage_none(qwen: LlamaEmbedder) -> None:
    prompt = prefixes_of("qwen3-embedding").query
    assert prompt.startswith("Instruct: ")
    assert prompt.endswith("\nQuery:")
    question, passage = qwen.embed_query(TEXTS[0]), qwen.embed_passages(TEXTS[:1])[0]
    np.testing.assert_allclose(question, qwen.embed_passages([prompt + TEXTS[0]])[0], atol=1e-5)
    assert float(question @ passage) < 0.999
    np.testing.assert_allclose(qwen.embed_queries(TEXTS)[0], question, atol=1e-5)


def test_prompt_of_passages_takes_room_from_them(tmp_path: Path) -> None:
    embedder = opened(tiny_bert(tmp_path / "e5-tiny.gguf", [*TEXTS, "query: passage:"]))
    assert embedder.max_tokens == BERT_TOKENS - 2 - 2
    assert float(embedder.embed_query(TEXTS[0]) @ embedder.embed_passages(TEXTS[:1])[0]) < 0.999
    embedder.close()


def test_of_a_text_that_is_too_long_the_beginning_is_read_and_its_end_is_marked(qwen: LlamaEmbedder) -> None:
    assert qwen.max_tokens == BATCH_TOKENS - 1
    room = " dome" * (qwen.max_tokens - 1)
    longest, longer = "Bread" + room, "Bread" + room + " flour" * 500
    assert qwen.count_tokens([longest]) == [qwen.max_tokens]
    vectors = qwen.embed_passages([longest, longer])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_control_tokens_in_a_text_are_plain_text(qwen: LlamaEmbedder) -> None:
    assert qwen.count_tokens(["<|endoftext|>"])[0] > 3


@pytest.mark.parametrize("kind", ["bert", "qwen"])
def test_model_whose_header_names_no_pooling_is_no_embedding_model(tmp_path: Path, others: set[int], kind: str) -> None:
    path = tmp_path / "writes.gguf"
    (tiny_bert if kind == "bert" else tiny_qwen)(path, TEXTS, None)
    with pytest.raises(ModelLoadError, match=rf"{re.escape(str(path))} is no embedding model.*{kind}") as caught:
        opened(path)
    assert "KB_EMBEDDING_MODEL" in caught.value.hint
    assert not children(others)


def test_model_that_answers_and_a_reranker_are_no_embedding_models(tmp_path: Path, others: set[int]) -> None:
    with pytest.raises(ModelLoadError, match="is no embedding model"):
        opened(tiny_chat(tmp_path / "chat.gguf", ["\n", "no"]))
    with pytest.raises(ModelLoadError, match="is a reranker"):
        opened(tiny_bert(tmp_path / "rank.gguf", TEXTS, gguf.PoolingType.RANK))
    assert not children(others)


def test_file_that_is_not_there_or_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as missing:
        opened(tmp_path / "none.gguf")
    assert "KB_EMBEDDING_MODEL" in missing.value.hint
    whole = tiny_bert(tmp_path / "half.gguf", TEXTS).read_bytes()
    (tmp_path / "half.gguf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelLoadError, match=r"half\.gguf could not be loaded") as damaged:
        opened(tmp_path / "half.gguf")
    assert "fetch it again" in damaged.value.hint


def test_process_that_has_ended_is_started_again_by_the_next_text(tmp_path: Path, others: set[int]) -> None:
    told: list[Happening] = []
    embedder = LlamaEmbedder(tiny_bert(tmp_path / "m.gguf", TEXTS), "m", observe=told.append)
    before = embedder.embed_passages(TEXTS)
    (child,) = children(others)
    child.kill()
    assert eventually(lambda: not children(others))
    np.testing.assert_array_equal(embedder.embed_passages(TEXTS), before)
    assert told == [ChildRestarted("embedder")]
    embedder.close()
    embedder.close()
    assert not children(others)
    with pytest.raises(ModelError, match="closed"):
        embedder.embed_query("dome")


def test_model_that_is_gone_when_its_process_ends_is_told(tmp_path: Path, others: set[int]) -> None:
    path = tiny_bert(tmp_path / "m.gguf", TEXTS)
    embedder = opened(path)
    path.unlink()
    (child,) = children(others)
    child.kill()
    assert eventually(lambda: not children(others))
    with pytest.raises(KBError, match=r"no model file"):
        embedder.embed_query("dome")
    embedder.close()
