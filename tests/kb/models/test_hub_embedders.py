"""An embedding model of the hub, named by its repository. The hub's client reads its variables when it is imported, so
each fetch runs in another process."""

import json
from pathlib import Path

import pytest

from kb.models.catalog import catalog, hub_embedder
from kb.models.sentence_folder import name_prompts, prompts_of
from kb.models.store import ModelStore
from tests.kb.models.test_cross_encoder import CONFIG as CROSS_ENCODER
from tests.kb.models.test_cross_encoder import hub, pull
from tests.model_sources import serve

NAME = "owner/some-reranker.v2"
MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
PROMPTS = {"query": "Instruct: find\nQuery:", "document": "Text: "}
FILES = {
    "config.json": json.dumps({"architectures": ["Qwen3ForCausalLM"]}).encode(),
    "modules.json": json.dumps(MODULES).encode(),
    "1_Pooling/config.json": b"{}",
    "config_sentence_transformers.json": json.dumps({"prompts": PROMPTS}).encode(),
    "tokenizer_config.json": b"{}",
    "tokenizer.json": b"{}",
    "model.safetensors": b"weights",
    "onnx/model.onnx": b"the same weights",
}


def test_repository_is_fetched_as_it_is_and_found_from_then_on(tmp_path: Path) -> None:
    with serve(hub(FILES)) as server:
        said = pull(tmp_path, server.url, embedder=True)
    folder = tmp_path / "embedders" / NAME
    assert said.splitlines()[0] == str(folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == FILES.keys() - {"onnx/model.onnx"}
    store = ModelStore.of_hub(tmp_path, embedder=NAME)
    assert store.find(NAME) == folder
    assert store.identity(folder).startswith("some-reranker.v2@")
    assert prompts_of(folder) == (PROMPTS["query"], PROMPTS["document"])


@pytest.mark.parametrize(
    "changed",
    [
        {"modules.json": None},
        {"modules.json": None, "config.json": json.dumps(CROSS_ENCODER).encode()},
        {"config_sentence_transformers.json": b'{"model_type": "CrossEncoder"}'},
    ],
    ids=["no modules", "cross-encoder", "cross-encoder of sentence-transformers"],
)
def test_what_is_no_embedding_model_is_refused_before_its_weights_come(
    tmp_path: Path, changed: dict[str, bytes | None]
) -> None:
    files = {name: content for name, content in {**FILES, **changed}.items() if content is not None}
    with serve(hub(files)) as server:
        assert "it is not an embedding model" in pull(tmp_path, server.url, embedder=True)
        assert not any("safetensors" in path for _, path, _ in server.requests)
    assert not (tmp_path / "embedders").exists()


def test_model_that_needs_code_of_its_makers_is_refused_before_its_weights_come(tmp_path: Path) -> None:
    modules = [{**MODULES[0], "type": "custom_st.Transformer"}]
    with serve(hub({**FILES, "modules.json": json.dumps(modules).encode()})) as server:
        assert "code of its makers (custom_st.Transformer), which is never run" in pull(
            tmp_path, server.url, embedder=True
        )
        assert not any("safetensors" in path for _, path, _ in server.requests)


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [("intfloat/multilingual-e5-base", "query: ", "passage: "), ("owner/unknown", "", "")],
)
def test_model_known_by_its_name_has_prompts_though_its_files_name_none(name: str, query: str, passage: str) -> None:
    model = hub_embedder(name)
    assert model
    assert (model.prompts.get("query", ""), model.prompts.get("passage", "")) == (query, passage)


def test_local_folder_goes_before_a_name_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).mkdir(parents=True)
    store = ModelStore.of_hub(tmp_path / "models", embedder=NAME)
    assert store.find(NAME) is None
    (tmp_path / NAME / "modules.json").write_text("[]")
    assert store.find(NAME) == tmp_path / NAME


@pytest.mark.parametrize("name", ["", "multilingual-e5-small", "/a/folder", "a/b/c", "../b"])
def test_other_names_are_none_of_the_hub(name: str) -> None:
    assert hub_embedder(name) is None


def test_prompts_of_the_catalog_stand_in_where_the_files_name_none(tmp_path: Path) -> None:
    (large,) = (model for model in catalog() if model.name == "multilingual-e5-large")
    settings = tmp_path / "config_sentence_transformers.json"
    assert prompts_of(tmp_path) == ("", "")
    settings.write_text('{"similarity_fn_name": "cosine", "prompts": {"query": "", "document": ""}}')
    name_prompts(tmp_path, large.prompts)
    assert prompts_of(tmp_path) == ("query: ", "passage: ")
    assert json.loads(settings.read_text())["similarity_fn_name"] == "cosine"
    name_prompts(tmp_path, {"query": "other"})
    assert prompts_of(tmp_path) == ("query: ", "passage: ")
