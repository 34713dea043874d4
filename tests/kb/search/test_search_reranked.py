"""The reranker as a part of the whole: it loads beside the rest, and nothing waits for it or fails with it."""

import logging
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub.constants
import pytest

from kb.errors import KBError, ModelDownloadError
from kb.knowledge_base import KnowledgeBase
from kb.models.download import ANSWER_SECONDS
from kb.models.loading import LoadState
from kb.ports import Vectors
from kb.settings import Settings, load
from kb.values.documents import Chunk, Document, FileVersion
from kb.wiring import open_library
from tests.fakes import FakeReranker
from tests.harness import PATIENCE_SECONDS, open_fake_library
from tests.tiny_cross_encoder import write_tiny_cross_encoder
from tests.tiny_e5 import write_tiny_model

QUESTION = "when does the second dome open"
TEXTS = ["dome dome dome dome", "when does the second dome open at nine in the evening and then close", "bread"]


class BreadReranker(FakeReranker):
    """Wants bread, whatever is asked."""

    def scores(self, query: str, texts: Sequence[str]) -> Vectors:
        return super().scores("bread", texts)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({}, home=tmp_path / "home", models=tmp_path / "models", reranker="owner/reranker")


def add_texts(library: KnowledgeBase) -> None:
    for text in TEXTS:
        file = FileVersion("/notes", f"{text[:4]}.md", 10, 1, text)
        library.replace(file, Document(text[:4], "text/markdown", text, ()), [Chunk(0, len(text), text, tokens=9)])


def found(library: KnowledgeBase) -> list[str]:
    return [passage.text for passage in library.search(QUESTION)]


def test_search_does_not_wait_for_the_reranker_and_uses_it_once_it_is_there(settings: Settings) -> None:
    goes_on = threading.Event()

    def wait(name: str) -> None:
        assert name != "reranker" or goes_on.wait(PATIENCE_SECONDS)

    with open_fake_library(settings, reranker=BreadReranker(), before_loading=wait) as library:
        add_texts(library)
        before = found(library)
        assert before[0] != "bread"
        status = library.reranker()
        assert status is not None
        assert (status.name, status.loading.state) == ("owner/reranker", LoadState.LOADING)
        assert "without it" in status.note
        assert not library.wait_for_reranker(0.01)
        goes_on.set()
        assert library.wait_for_reranker()
        assert found(library)[0] == "bread"
        status = library.reranker()
        assert status is not None
        assert status.note == ""


def test_as_many_hits_are_found_as_the_reranker_is_to_read(settings: Settings) -> None:
    with open_fake_library(settings, reranker=BreadReranker()) as library:
        for number in range(12):
            text = f"when does the second dome open {'again ' * number}"
            file = FileVersion("/notes", f"{number}.md", 10, 1, text)
            library.replace(file, Document("dome", "text/markdown", text, ()), [Chunk(0, len(text), text, tokens=9)])
        add_texts(library)
        assert library.wait_for_reranker()
        assert library.search(QUESTION, top_k=1)[0].text == "bread"


def test_without_the_setting_there_is_no_reranker(settings: Settings) -> None:
    off = settings.model_copy(update={"reranker": ""})
    with open_fake_library(off, reranker=BreadReranker()) as library:
        add_texts(library)
        library.warm_up()
        assert not library.wait_for_reranker()
        assert library.reranker() is None
        assert found(library)[0] != "bread"
    with open_library(off) as library:
        assert library.reranker() is None


def test_reranker_that_cannot_be_had_is_said_once_and_searches_go_on(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(name: str) -> None:
        if name == "reranker":
            raise ModelDownloadError("no hub", "set HF_ENDPOINT")

    with open_fake_library(settings, before_loading=refuse) as library, caplog.at_level(logging.WARNING):
        add_texts(library)
        library.warm_up()
        assert not library.wait_for_reranker()
        assert found(library)
        assert found(library)
        status = library.reranker()
        assert status is not None and status.loading.error is not None
        assert (status.loading.state, status.loading.error.hint) == (LoadState.FAILED, "set HF_ENDPOINT")
    assert caplog.text.count("no hub") == 1


def test_reranker_that_fails_in_the_middle_leaves_the_order_of_the_search(settings: Settings) -> None:
    with open_fake_library(settings.model_copy(update={"reranker": ""})) as library:
        add_texts(library)
        expected = found(library)
    with open_fake_library(settings, reranker=FakeReranker(fails=KBError("out of memory"))) as library:
        assert library.wait_for_reranker()
        assert found(library) == expected


def test_closing_closes_the_reranker(settings: Settings) -> None:
    reranker = FakeReranker()
    with open_fake_library(settings, reranker=reranker) as library:
        assert library.wait_for_reranker()
    with pytest.raises(KBError, match="closed"):
        reranker.scores("", [])
    assert not library.wait_for_reranker()


@pytest.mark.timeout(120)  # may be the first to import the libraries
def test_real_reranker_from_a_folder_is_loaded_and_a_hub_that_cannot_be_reached_stops_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e5").mkdir()
    embedding = {"embedding_model": str(write_tiny_model(tmp_path / "e5")), "embedding_backend": "torch"}
    folder = write_tiny_cross_encoder(tmp_path / "reranker")
    with open_library(settings.model_copy(update={**embedding, "reranker": str(folder)})) as library:
        add_texts(library)
        assert library.wait_for_reranker()
        assert found(library)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    for name, reason in (("owner/reranker", "no connection"), ("no such name", "nor a name like owner/repo")):
        with open_library(settings.model_copy(update={**embedding, "reranker": name})) as library:
            assert found(library)
            while (status := library.reranker()) and status.loading.error is None:
                library.wait_for_reranker(0.1)
            assert status is not None and status.loading.error is not None
            assert reason in status.loading.error.message
            assert "start again" in status.loading.error.hint
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with open_library(settings.model_copy(update=embedding)) as library:
            library.wait_for_retrieval()
            began = time.monotonic()
            assert not library.wait_for_reranker()
            assert time.monotonic() - began < ANSWER_SECONDS / 2, "the hub is not waited for"
