"""An embedding model and a reranker on a server: what is sent, what goes wrong, and what follows from it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.openai_api import connection
from kb.adapters.openai_api.texts import RemoteEmbedder, RemoteReranker
from kb.errors import ModelBusy, ModelError, ModelMissing, ModelUnreachable, SettingsError
from kb.models.prefixes import prefixes_of
from kb.models.remote import RemoteModel
from kb.settings import load
from kb.values.documents import Block, Chunk, Document, FileVersion
from kb.wiring import open_knowledge_base
from tests.fakes import FakeEmbedder
from tests.remote_doubles import KEY, Refusal, openai_error
from tests.remote_servers import serving
from tests.text_doubles import DashScopeTexts, LlamaTextServer, TextServer, embedder_on, reranker_on

ELSEWHERE = "openai:some-embedder@https://api.example.com/v1"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PAUSES_SECONDS", (0.01, 0.01))


def test_texts_go_in_batches_and_in_halves_where_a_server_wants_fewer() -> None:
    texts = [f"Dome number {n} opens." for n in range(70)]
    for double, most in ((TextServer(), 32), (DashScopeTexts(), 10)):
        with embedder_on(double) as embedder:
            vectors = embedder.embed_passages(texts)
        np.testing.assert_allclose(vectors, FakeEmbedder().embed_passages(texts), atol=1e-5)
        taken = [len(body["input"]) for _, _, body in double.requests if len(body["input"]) <= double.batch]
        assert max(taken) <= most
        assert sum(taken) == len(texts) + 1


def test_text_that_is_too_long_is_cut_and_its_neighbours_are_not() -> None:
    texts = ["dome " * 600, "bread"]
    for double in (TextServer(), LlamaTextServer()):
        with embedder_on(double) as embedder:
            vectors = embedder.embed_passages(texts)
        np.testing.assert_allclose(vectors, FakeEmbedder().embed_passages(["dome " * 300, "bread"]), atol=1e-5)


def test_overloaded_server_is_asked_again_and_a_broken_one_is_told() -> None:
    double = TextServer()
    with embedder_on(double) as embedder:
        double.failures = [openai_error(429, "slow down"), Refusal(503, "loading")]
        assert embedder.embed_query("dome").shape == (256,)
        double.failures = [openai_error(429, "slow down")] * 3
        with pytest.raises(ModelBusy):
            embedder.embed_query("dome")
    with pytest.raises(ModelError, match="closed"):
        embedder.embed_query("dome")
    with reranker_on(double) as reranker:
        double.failures = [Refusal(500, "out of memory")] * 3
        with pytest.raises(ModelUnreachable, match="out of memory"):
            reranker.scores("dome", ["a", "b"])


def test_closing_ends_what_is_on_its_way() -> None:
    double = TextServer()
    with embedder_on(double) as embedder, ThreadPoolExecutor(1) as pool:
        double.goes_on.clear()
        double.is_asked.clear()
        waiting = pool.submit(embedder.embed_query, "dome")
        assert double.is_asked.wait(15)
        embedder.close()
        with pytest.raises(ModelError, match="closed"):
            waiting.result(2)
        double.goes_on.set()


def test_server_without_such_a_model_is_told_with_the_setting() -> None:
    with serving(TextServer()) as url:
        for kind, setting in ((RemoteEmbedder, "KB_EMBEDDING_MODEL"), (RemoteReranker, "KB_RERANKER")):
            for model in (
                RemoteModel("openai", "another", url, setting),
                RemoteModel("openai", "x", f"{url}/y", setting),
            ):
                with pytest.raises(ModelMissing) as caught:
                    kind(model)
                assert setting in caught.value.hint
    with pytest.raises(ModelUnreachable) as unreachable:
        RemoteEmbedder(RemoteModel("openai", "a", "http://127.0.0.1:9/v1", "KB_EMBEDDING_MODEL"))
    assert "KB_EMBEDDING_MODEL" in unreachable.value.hint


@pytest.mark.parametrize("data", [[], [{"index": 0}], [{"index": 1, "embedding": [1.0]}], "no", None])
def test_answer_that_is_none_is_refused(data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    double = TextServer()
    with embedder_on(double) as embedder:
        monkeypatch.setattr(double, "embeddings", lambda body: {"data": data})
        with pytest.raises(ModelError, match=r"some-embedder|127\.0\.0\.1"):
            embedder.embed_query("dome")


def test_vectors_of_another_length_are_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    double = TextServer()
    with embedder_on(double) as embedder:
        assert embedder.identity == "some-embedder@127.0.0.1/256"
        monkeypatch.setattr(double.embedder, "dimension", 64)
        with pytest.raises(ModelError, match="another length"):
            embedder.embed_query("dome")
    with embedder_on(double) as again:
        assert again.identity == "some-embedder@127.0.0.1/64"


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", "Instruct: ", ""),
        ("Qwen/Qwen3-Embedding-0.6B", "Instruct: ", ""),
        ("Qwen3 Embedding 0.6b", "Instruct: ", ""),
        ("qwen3-embedding:0.6b", "Instruct: ", ""),
        ("Alibaba-NLP/gte-Qwen2-1.5B-instruct", "Instruct: ", ""),
        ("snowflake-arctic-embed-l-v2.0", "query: ", ""),
        ("snowflake-arctic-embed-m-v1.5", "Represent this sentence", ""),
        ("nomic-embed-text:v1.5", "search_query: ", "search_document: "),
        ("BAAI/bge-large-zh-v1.5", "为这个句子", ""),
        ("BAAI/bge-m3", "", ""),
        ("text-embedding-3-small", "", ""),
    ],
)
def test_models_get_the_words_that_they_were_trained_with(model: str, query: str, passage: str) -> None:
    prefixes = prefixes_of(model)
    assert prefixes.query.startswith(query)
    assert bool(prefixes.query) == bool(query)
    assert prefixes.passage == passage


def test_what_must_stay_here_is_never_to_be_read_elsewhere(tmp_path: Path) -> None:
    for setting in ("embedding_model", "reranker"):
        with pytest.raises(SettingsError, match=r"api.example.com.*KB_LOCAL_ONLY") as caught:
            load({}, home=tmp_path, local_only="private/", **{setting: ELSEWHERE})
        assert f"KB_{setting.upper()}" in caught.value.hint
        here = "openai:some-embedder@http://127.0.0.1:8000/v1"
        assert load({}, home=tmp_path, local_only="private/", **{setting: here}).local_only
        with pytest.raises(SettingsError, match="KB_REMOTE_ALLOW"):
            load({}, home=tmp_path, remote_allow="api.deepseek.com", **{setting: ELSEWHERE})


def test_key_goes_to_the_first_model_that_is_on_a_server(tmp_path: Path) -> None:
    settings = load({"KB_API_KEY": KEY}, home=tmp_path, embedding_model=ELSEWHERE, reranker="openai:r@http://other/v1")
    assert settings.remote_embedder
    assert settings.remote_reranker
    assert settings.key_for(settings.remote_embedder) == KEY
    assert settings.key_for(settings.remote_reranker) == ""
    settings = load({"KB_API_KEY": KEY}, home=tmp_path, embedding_model=ELSEWHERE, model="openai:m@http://other/v1")
    assert settings.remote_embedder
    assert settings.key_for(settings.remote_embedder) == ""


@pytest.mark.timeout(120)
def test_documents_are_embedded_there_and_anew_where_the_model_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = TextServer()
    with serving(double) as url:
        name = f"openai:{double.model}@{url}"
        settings = load({}, home=tmp_path / "home", models=tmp_path / "models", embedding_model=name, reranker=name)
        with open_knowledge_base(settings) as base:
            assert base.wait_for_index(60)
            for source, text in (("dome.md", "The dome opens at nine."), ("tea.md", "Tea is green.")):
                read = Document(source, "text/markdown", text, (Block(0, len(text)),))
                base.replace(FileVersion("/notes", source, len(text), 1), read, [Chunk(0, len(text), text)])
            assert base.models.wait_for_reranker(60)
            assert base.search("When does the dome open?", 1)[0].source == "dome.md"
            assert base.models.embedding().name == double.model
        assert any(path == "/v1/rerank" for _, path, _ in double.requests)
        monkeypatch.setattr(double.embedder, "dimension", 64)
        double.requests.clear()
        with open_knowledge_base(settings) as base:
            assert base.wait_for_index(60)
            while base.maintain():
                pass
            assert base.search("When does the dome open?", 1)[0].similarity
            assert base.index_work() is None
        assert "The dome opens at nine." in json.dumps(double.requests)
