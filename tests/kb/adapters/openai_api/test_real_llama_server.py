"""The real llama-server, as the package `xllamacpp` brings it, with tiny models that really reason."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.openai_api.model import CountingLookingModel, open_remote_model
from kb.adapters.openai_api.texts import RemoteEmbedder
from kb.errors import PromptTooLong
from kb.models.remote import RemoteModel
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Look, Looked, Message
from tests.tiny_gguf import END, tiny_chat

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="pip install xllamacpp"),
]

ANSWER = ["It", " is", " on", " page", " nine", "."]
REASONING = ["Let", " us", " see", " it", ","]
ENDLESS = [f" word{number}" for number in range(200)]
QUESTION = [Message("system", "Be short."), Message("user", "Where is it?")]

_SERVER = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel, params.port = sys.argv[1], 1024, 1, 0
params.cpuparams.n_threads = 1
params.embedding = "embed" in sys.argv
if params.embedding:
    params.pooling_type, params.n_batch, params.n_ubatch = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN, 64, 64
server = xllamacpp.Server(params)
print("at", server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server(path: Path, *options: str) -> Iterator[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", _SERVER, str(path), *options], text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            address = next((line.split()[1] for line in process.stdout if line.startswith("at ")), None)
            assert address, "the server has not started"
            yield address
        finally:
            process.kill()


@pytest.fixture(scope="module")
def reasoning_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("r1") / "r1.gguf"
    tiny_chat(path, ["\n", *REASONING, "</think>", "\n\n", *ANSWER, END], r1=True)
    with llama_server(path) as url:
        yield url


@pytest.fixture(scope="module")
def endless_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("endless") / "endless.gguf"
    tiny_chat(path, ["\n", ENDLESS[0]], ["\n\n", *ENDLESS, ENDLESS[0]], feed_forward=4096)
    with llama_server(path) as url:
        yield url


@contextmanager
def opened(url: str) -> Iterator[CountingLookingModel]:
    model = open_remote_model(RemoteModel("openai", "any", f"{url}/v1"))
    assert isinstance(model, CountingLookingModel)
    try:
        yield model
    finally:
        model.close()


def texts(items: Iterator[Generated]) -> dict[str, str]:
    said = {"reasoning": "", "answer": ""}
    for item in items:
        if isinstance(item, Delta):
            said[item.phase] += item.text
    return said


@pytest.mark.timeout(120)
def test_reasoning_comes_apart_is_budgeted_and_is_switched_off(reasoning_server: str) -> None:
    with opened(reasoning_server) as model:
        assert (model.info.reasons, model.info.context_tokens) == (True, 1024)
        said = texts(model.stream(QUESTION, GenerationOptions()))
        assert (said["reasoning"].strip(), said["answer"]) == ("Let us see it,", "It is on page nine.")
        assert " it" not in texts(model.stream(QUESTION, GenerationOptions(reasoning_tokens=3)))["reasoning"]
        off = texts(model.stream(QUESTION, GenerationOptions(reasoning_tokens=0)))
        assert off == {"reasoning": "", "answer": "It is on page nine."}


@pytest.mark.timeout(120)
def test_tokens_are_counted_as_the_server_does(reasoning_server: str) -> None:
    with opened(reasoning_server) as model:
        *_, end = model.stream(QUESTION, GenerationOptions())
        assert isinstance(end, GenerationEnd)
        assert end.prompt_tokens == model.prompt_tokens(QUESTION)
        with pytest.raises(PromptTooLong, match="1024"):
            list(model.stream([Message("user", "word " * 1200)], GenerationOptions()))


@pytest.mark.timeout(120)
def test_look_into_a_model_whose_template_opens_its_thinking(reasoning_server: str) -> None:
    with opened(reasoning_server) as model:
        items = list(model.stream_after_looks([Look(tuple(QUESTION), "It", "No")], (), GenerationOptions()))
        (looked,) = (item for item in items if isinstance(item, Looked))
        assert looked.margins[0] > 5


@pytest.mark.timeout(120)
def test_texts_are_embedded_in_their_order_and_cut_where_they_are_too_long(tmp_path: Path) -> None:
    path = tiny_chat(tmp_path / "any.gguf", ["\n", *ANSWER, END])
    with llama_server(path, "embed") as url:
        embedder = RemoteEmbedder(RemoteModel("openai", "any", f"{url}/v1", "KB_EMBEDDING_MODEL"))
        with closing(embedder):
            texts = ["It is on page nine.", "page " * 500, "", "nine", *(f"page {n}" for n in range(40))]
            vectors = embedder.embed_passages(texts)
            assert (vectors.shape, vectors.dtype) == ((len(texts), embedder.dimension), np.float32)
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
            for place in (0, 3, 20):
                np.testing.assert_allclose(vectors[place], embedder.embed_query(texts[place]), atol=1e-4)


@pytest.mark.timeout(120)
def test_closed_stream_leaves_the_only_slot_to_the_next_question(endless_server: str) -> None:
    with opened(endless_server) as model:
        stream = model.stream(QUESTION, GenerationOptions(answer_tokens=800))
        next(item for item in stream if isinstance(item, Delta))
        began = time.monotonic()
        stream.close()
        assert texts(model.stream(QUESTION, GenerationOptions(answer_tokens=2)))["answer"].split()[0] == "word0"
        assert time.monotonic() - began < 2
