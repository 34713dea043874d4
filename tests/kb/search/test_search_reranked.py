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
from kb.wiring import open_knowledge_base
from tests.fakes import FakeReranker
from tests.harness import PATIENCE_SECONDS, open_fake_knowledge_base
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


def add_texts(knowledge_base: KnowledgeBase) -> None:
    for text in TEXTS:
        file = FileVersion("/notes", f"{text[:4]}.md", 10, 1, text)
        knowledge_base.replace(
            file, Document(text[:4], "text/markdown", text, ()), [Chunk(0, len(text), text, tokens=9)]
        )


def found(knowledge_base: KnowledgeBase) -> list[str]:
    return [passage.text for passage in knowledge_base.search(QUESTION)]


def test_search_does_not_wait_for_the_reranker_and_uses_it_once_it_is_there(settings: Settings) -> None:
    goes_on = threading.Event()

    def wait(name: str) -> None:
        assert name != "reranker" or goes_on.wait(PATIENCE_SECONDS)

    with open_fake_knowledge_base(settings, reranker=BreadReranker(), before_loading=wait) as knowledge_base:
        add_texts(knowledge_base)
        before = found(knowledge_base)
        assert before[0] != "bread"
        status = knowledge_base.models.reranker()
        assert status is not None
        assert (status.name, status.loading.state) == ("owner/reranker", LoadState.LOADING)
        assert "without it" in status.note
        assert not knowledge_base.models.wait_for_reranker(0.01)
        goes_on.set()
        assert knowledge_base.models.wait_for_reranker()
        assert found(knowledge_base)[0] == "bread"
        status = knowledge_base.models.reranker()
        assert status is not None
        assert status.note == ""


def test_as_many_hits_are_found_as_the_reranker_is_to_read(settings: Settings) -> None:
    with open_fake_knowledge_base(settings, reranker=BreadReranker()) as knowledge_base:
        for number in range(12):
            text = f"when does the second dome open {'again ' * number}"
            file = FileVersion("/notes", f"{number}.md", 10, 1, text)
            knowledge_base.replace(
                file, Document("dome", "text/markdown", text, ()), [Chunk(0, len(text), text, tokens=9)]
            )
        add_texts(knowledge_base)
        assert knowledge_base.models.wait_for_reranker()
        assert knowledge_base.search(QUESTION, top_k=1)[0].text == "bread"


def test_without_the_setting_there_is_no_reranker(settings: Settings) -> None:
    off = settings.model_copy(update={"reranker": ""})
    with open_fake_knowledge_base(off, reranker=BreadReranker()) as knowledge_base:
        add_texts(knowledge_base)
        knowledge_base.models.start()
        assert not knowledge_base.models.wait_for_reranker()
        assert knowledge_base.models.reranker() is None
        assert found(knowledge_base)[0] != "bread"
    with open_knowledge_base(off) as knowledge_base:
        assert knowledge_base.models.reranker() is None


def test_reranker_that_cannot_be_had_is_said_once_and_searches_go_on(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(name: str) -> None:
        if name == "reranker":
            raise ModelDownloadError("no hub", "set HF_ENDPOINT")

    with open_fake_knowledge_base(settings, before_loading=refuse) as knowledge_base, caplog.at_level(logging.WARNING):
        add_texts(knowledge_base)
        knowledge_base.models.start()
        assert not knowledge_base.models.wait_for_reranker()
        assert found(knowledge_base)
        assert found(knowledge_base)
        status = knowledge_base.models.reranker()
        assert status is not None and status.loading.error is not None
        assert (status.loading.state, status.loading.error.hint) == (LoadState.FAILED, "set HF_ENDPOINT")
    assert caplog.text.count("no hub") == 1


def test_reranker_that_fails_in_the_middle_leaves_the_order_of_the_search(settings: Settings) -> None:
    with open_fake_knowledge_base(settings.model_copy(update={"reranker": ""})) as knowledge_base:
        add_texts(knowledge_base)
        expected = found(knowledge_base)
    with open_fake_knowledge_base(settings, reranker=FakeReranker(fails=KBError("out of memory"))) as knowledge_base:
        assert knowledge_base.models.wait_for_reranker()
        assert found(knowledge_base) == expected


def test_closing_closes_the_reranker(settings: Settings) -> None:
    reranker = FakeReranker()
    with open_fake_knowledge_base(settings, reranker=reranker) as knowledge_base:
        assert knowledge_base.models.wait_for_reranker()
    with pytest.raises(KBError, match="closed"):
        reranker.scores("", [])
    assert not knowledge_base.models.wait_for_reranker()


@pytest.mark.timeout(120)  # may be the first to import the libraries
def test_real_reranker_from_a_folder_is_loaded_and_a_hub_that_cannot_be_reached_stops_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e5").mkdir()
    embedding = {"embedding_model": str(write_tiny_model(tmp_path / "e5")), "embedding_backend": "torch"}
    folder = write_tiny_cross_encoder(tmp_path / "reranker")
    with open_knowledge_base(settings.model_copy(update={**embedding, "reranker": str(folder)})) as knowledge_base:
        add_texts(knowledge_base)
        assert knowledge_base.models.wait_for_reranker()
        assert found(knowledge_base)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    for name, reason in (("owner/reranker", "no connection"), ("no such name", "nor a name like owner/repo")):
        with open_knowledge_base(settings.model_copy(update={**embedding, "reranker": name})) as knowledge_base:
            assert found(knowledge_base)
            while (status := knowledge_base.models.reranker()) and status.loading.error is None:
                knowledge_base.models.wait_for_reranker(0.1)
            assert status is not None and status.loading.error is not None
            assert reason in status.loading.error.message
            assert "start again" in status.loading.error.hint
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with open_knowledge_base(settings.model_copy(update=embedding)) as knowledge_base:
            knowledge_base.wait_for_index()
            began = time.monotonic()
            assert not knowledge_base.models.wait_for_reranker()
            assert time.monotonic() - began < ANSWER_SECONDS / 2, "the hub is not waited for"
