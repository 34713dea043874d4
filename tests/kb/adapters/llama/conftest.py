"""Tiny models, in this process and in one of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.process import LlamaProcess
from tests.kb.adapters.llama.in_process_harness import Models
from tests.kb.adapters.llama.process_harness import ENDLESS, Start, children
from tests.tiny_gguf import tiny_chat


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Talks without end, some thousand words a second."""
    return tiny_chat(
        tmp_path_factory.mktemp("models") / "endless.gguf", ["\n", *ENDLESS, ENDLESS[0]], feed_forward=4096
    )


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but takes seconds to read a long question."""
    chain = ["\n", *ENDLESS, ENDLESS[0]]
    return tiny_chat(tmp_path_factory.mktemp("models") / "slow.gguf", chain, feed_forward=16_384)


@pytest.fixture
def start(endless: Path) -> Iterator[Start]:
    started: list[LlamaProcess] = []

    def start(path: Path = endless, queue_size: int = 8) -> LlamaProcess:
        started.append(LlamaProcess(path, "tiny", EngineOptions(16_384, threads=1), queue_size=queue_size))
        return started[-1]

    yield start
    for model in started:
        model.close()
    assert not children()


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    built = Models(tmp_path)
    yield built
    built.close()
