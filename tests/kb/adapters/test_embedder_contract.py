"""What every adapter of the port `Embedder` must do, and the fake as well."""

import functools
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.embedding.backends import EmbeddingBackend, open_embedder, prepare_embedder
from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
from kb.adapters.llama.embedding.embedder import LlamaEmbedder
from kb.errors import ModelLoadError
from kb.models.sentence_folder import assemble
from kb.models.store import ModelStore
from kb.ports import Embedder
from kb.settings import Settings
from tests.fakes import FakeEmbedder
from tests.text_doubles import EMBEDDING_ONLY, SERVERS, embedder_on
from tests.tiny_e5 import TinyE5
from tests.tiny_gguf_embedders import tiny_bert, tiny_qwen

TEXTS = [
    "The observatory opens its dome at nine in the evening.",
    "Bread is baked from flour, water, salt and yeast.",
    "天文台晚上九点打开圆顶。",
    "面包由面粉、水、盐和酵母制成。",
]
MODEL = "multilingual-e5-small"


Open = Callable[[Path, EmbeddingBackend], Embedder]

with_real_model = [pytest.mark.models, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def open_real() -> Open:
    @functools.cache
    def open_(models: Path, backend: EmbeddingBackend) -> Embedder:
        store = ModelStore(models)
        folder = store.pull(MODEL, lambda progress: None)
        return open_embedder(folder, store.identity(folder), lambda progress: None, backend)

    return open_


QUESTIONS = [
    ("When is the dome of the observatory opened in the evening?", 0),
    ("How is bread baked from flour and water?", 1),
    ("天文台几点打开圆顶？", 2),
    ("面包由什么制成？", 3),
]
GGUF: dict[str, Callable[..., Path]] = {"bert": tiny_bert, "qwen": tiny_qwen}


@pytest.fixture(scope="module")
def in_llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Embedder]]:
    opened: dict[str, LlamaEmbedder] = {}

    def open_(kind: str) -> Embedder:
        if kind not in opened:
            known = [*TEXTS, *(question for question, _ in QUESTIONS)]
            path = GGUF[kind](tmp_path_factory.mktemp("models") / f"{kind}.gguf", known, name=kind)
            opened[kind] = LlamaEmbedder(path, kind)
        return opened[kind]

    yield open_
    for embedder in opened.values():
        embedder.close()


@pytest.fixture(
    params=[
        "fake",
        *SERVERS,
        *EMBEDDING_ONLY,
        *(pytest.param(kind, marks=pytest.mark.timeout(120)) for kind in GGUF),
        pytest.param("torch", marks=with_real_model),
        pytest.param("onnx", marks=with_real_model),
    ]
)
def embedder(
    request: pytest.FixtureRequest, settings: Settings, open_real: Open, in_llama: Callable[[str], Embedder]
) -> Iterator[Embedder]:
    if request.param == "fake":
        yield FakeEmbedder()
    elif request.param in (*SERVERS, *EMBEDDING_ONLY):
        with embedder_on(request.param()) as on_server:
            yield on_server
    elif request.param in GGUF:
        yield in_llama(request.param)
    else:
        yield open_real(settings.models, request.param)


def test_passages_are_rows_of_unit_norm(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_question_is_one_vector_of_unit_norm(embedder: Embedder) -> None:
    vector = embedder.embed_query("When does the dome open?")
    assert vector.shape == (embedder.dimension,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


def test_text_without_words_has_a_vector_too(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(["", " ", "?!"])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_rows_come_in_the_order_of_the_texts_whatever_their_length(embedder: Embedder) -> None:
    texts = [text * repeat for repeat in (9, 1, 5, 2, 7) for text in TEXTS]
    vectors = embedder.embed_passages(texts)
    for i in (0, 5, 11, 19):
        np.testing.assert_allclose(vectors[i], embedder.embed_passages([texts[i]])[0], atol=1e-4)


@pytest.mark.parametrize(("question", "nearest"), QUESTIONS)
def test_question_is_nearest_to_the_passage_that_answers_it(embedder: Embedder, question: str, nearest: int) -> None:
    assert int(np.argmax(embedder.embed_passages(TEXTS) @ embedder.embed_query(question))) == nearest


def test_same_text_gives_the_same_vector_again(embedder: Embedder) -> None:
    np.testing.assert_array_equal(embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS))


def test_tokens_are_counted_whole_however_long_the_text_is(embedder: Embedder) -> None:
    counts = embedder.count_tokens(["", "dome", "The dome opens at nine.", "dome " * 2000])
    assert counts[0] == 0
    assert 1 <= counts[1] < counts[2] < embedder.max_tokens < counts[3]


def test_text_longer_than_the_model_reads_is_no_error(embedder: Embedder) -> None:
    assert embedder.embed_passages(["dome " * 2000]).shape == (1, embedder.dimension)


def test_question_can_be_embedded_while_passages_are(embedder: Embedder) -> None:
    question = "When does the dome open?"
    alone, passages = embedder.embed_query(question), embedder.embed_passages(TEXTS * 4)
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(embedder.embed_passages, TEXTS * 4) for _ in range(2)]
        questions = [pool.submit(embedder.embed_query, question) for _ in range(10)]
        counts = [pool.submit(embedder.count_tokens, TEXTS) for _ in range(10)]
    for future in questions:
        np.testing.assert_allclose(future.result(), alone, atol=1e-4)
    for future in work:
        np.testing.assert_allclose(future.result(), passages, atol=1e-4)
    assert all(future.result() == embedder.count_tokens(TEXTS) for future in counts)


@pytest.mark.models
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_question_in_one_language_finds_the_passage_in_the_other(
    settings: Settings, open_real: Open, backend: EmbeddingBackend
) -> None:
    embedder = open_real(settings.models, backend)
    english, chinese = embedder.embed_passages(TEXTS[:2]), embedder.embed_passages(TEXTS[2:])
    assert int(np.argmax(chinese @ embedder.embed_query("When does the observatory open its dome?"))) == 0
    assert int(np.argmax(english @ embedder.embed_query("面包是怎么做的？"))) == 1


@pytest.mark.models
@pytest.mark.timeout(300)
def test_the_real_model_in_8_bit_is_near_the_original(settings: Settings, open_real: Open) -> None:
    ours, original = (open_real(settings.models, backend) for backend in ("onnx", "torch"))
    assert (ours.embed_passages(TEXTS) * original.embed_passages(TEXTS)).sum(axis=1).min() > 0.99
    assert ours.identity == original.identity + "+int8"
    assert ours.count_tokens(TEXTS) == original.count_tokens(TEXTS)
    assert (ours.dimension, ours.max_tokens) == (original.dimension, original.max_tokens)


@pytest.mark.models
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_model_loads_without_a_network(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, backend: EmbeddingBackend
) -> None:
    store = ModelStore(settings.models)
    folder = store.pull(MODEL, lambda progress: None)
    prepare_embedder(folder, lambda progress: None, backend)

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    embedder = open_embedder(folder, "m", lambda progress: None, backend)
    assert embedder.embed_query("dome").shape == (384,)


@pytest.mark.timeout(120)  # the first to import the libraries
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_damaged_model_does_not_load_and_the_error_names_its_folder(tmp_path: Path, name: str) -> None:
    TinyE5().write(tmp_path / "tiny.e5s1")
    folder = assemble(tmp_path, "tiny.e5s1", "tiny", "a test")
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelLoadError, match=str(folder)) as caught:
        SentenceTransformerEmbedder(folder, "m")
    assert "remove that folder" in caught.value.hint
