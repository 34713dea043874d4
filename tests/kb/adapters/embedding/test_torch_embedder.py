"""Models of sentence-transformers as their makers publish them: the vectors are those that the library itself makes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.adapters.embedding.backends import open_embedder
from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
from kb.errors import ModelLoadError
from kb.values.progress import Progress
from tests.tiny_sentence_models import WIDTH, write_json, write_sentence_model

pytestmark = pytest.mark.timeout(300)  # may be the first to import the libraries

TEXTS = ["The dome opens at nine.", "Bread is baked from flour.", "圆顶九点打开。", "The bread."]
PROMPTS = {"query": "Instruct: find query: ", "document": ""}


def never(progress: Progress) -> None:
    raise AssertionError(f"nothing was to be done: {progress}")


@pytest.mark.parametrize(
    "kind",
    [
        {"pooling": "mean", "settings": {"prompts": {"query": "query: ", "passage": "passage: "}}},
        {"pooling": "cls"},
        {"pooling": "mean", "settings": {"prompts": PROMPTS}, "include_prompt": False},
        {"pooling": "mean", "dense": 8},
        {"kind": "qwen3", "pooling": "lasttoken", "settings": {"prompts": PROMPTS}},
        {"kind": "qwen3", "pooling": "lasttoken", "settings": {"prompts": PROMPTS}, "dtype": "bfloat16"},
    ],
    ids=["prompts", "cls", "prompt left out of the mean", "dense", "last token", "half precision"],
)
def test_vectors_are_those_of_the_library_with_unit_norm(tmp_path: Path, kind: dict[str, Any]) -> None:
    from sentence_transformers import SentenceTransformer

    folder = write_sentence_model(tmp_path / "model", **kind)
    embedder = SentenceTransformerEmbedder(folder, "m")
    library = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    tolerance = 0.02 if "dtype" in kind else 1e-5
    name = "passage" if "passage" in library.prompts else "document"
    passages, questions = library.encode(TEXTS, prompt_name=name), library.encode_query(TEXTS)
    for ours, theirs in (
        (embedder.embed_passages(TEXTS), passages),
        (np.stack([embedder.embed_query(text) for text in TEXTS]), questions),
    ):
        assert ours.shape == (len(TEXTS), embedder.dimension) == (len(TEXTS), kind.get("dense", WIDTH))
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-5)
        unit = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
        np.testing.assert_allclose(ours, unit, atol=tolerance)
    if "settings" in kind:
        assert abs(passages - questions).max() > 0.01, "the prompts make a difference"


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ({"positions": 64}, 62),  # the tokenizer says nothing
        ({"positions": 64, "max_length": 24}, 22),
        ({"positions": 64, "max_length": 131_072}, 62),
        ({"positions": 32_768, "kind": "qwen3", "pooling": "lasttoken"}, 8191),
        ({"positions": 64, "settings": {"prompts": {"passage": "passage: "}}}, 60),
    ],
)
def test_model_reads_what_it_has_places_for_and_not_more_than_memory_allows(
    tmp_path: Path, kind: dict[str, Any], read: int
) -> None:
    embedder = SentenceTransformerEmbedder(write_sentence_model(tmp_path / "model", **kind), "m")
    assert embedder.max_tokens == read
    if read < 100:
        longest, longer = "dome " * read, "dome " * read + "bread " * 100
        assert embedder.count_tokens([longest]) == [read]
        vectors = embedder.embed_passages([longest, longer])
        np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_tokenizer_that_has_no_file_of_its_own_name_is_counted_with_all_the_same(tmp_path: Path) -> None:
    folder = write_sentence_model(tmp_path / "model")
    expected = SentenceTransformerEmbedder(folder, "m").count_tokens(TEXTS)
    moved = folder / "0_Transformer"
    moved.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).rename(moved / name)
    modules = [
        {"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    write_json(folder / "modules.json", modules)
    assert SentenceTransformerEmbedder(folder, "m").count_tokens(TEXTS) == expected


def test_model_that_needs_code_of_its_makers_is_refused_and_none_is_run(tmp_path: Path) -> None:
    folder = write_sentence_model(tmp_path / "model")
    ran = tmp_path / "ran"
    (folder / "custom_st.py").write_text(f"open({str(ran)!r}, 'w')\n")
    modules = [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}]
    write_json(folder / "modules.json", modules)
    with pytest.raises(ModelLoadError, match=r"code of its makers \(custom_st\.Transformer\)") as caught:
        open_embedder(folder, "m", never)
    assert "KB_EMBEDDING_MODEL" in caught.value.hint
    assert not ran.exists()
