import os
import socket
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb.data_directory import DataDirectoryLock, find_owner
from kb.errors import DataDirectoryLocked, KBError, SchemaMismatch, StorageError
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import LoadState
from kb.ports import Vectors
from kb.settings import Settings
from kb.values.chat import Heartbeat
from kb.wiring import CATALOG_NAME, open_knowledge_base
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, PATIENCE_SECONDS, add


class WatchedModel(FakeLanguageModel):
    """Tells when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()


def blocked_model() -> tuple[FakeLanguageModel, threading.Event]:
    goes_on = threading.Event()
    return FakeLanguageModel("It opens at nine in the evening.", goes_on=goes_on), goes_on


def test_opening_is_quick_and_loads_nothing(settings: Settings) -> None:
    with open_knowledge_base(settings) as knowledge_base:
        assert knowledge_base.documents() == []
        assert knowledge_base.models.embedding().loading.state is LoadState.WAITING
        assert knowledge_base.models.answering().name == ""
        assert "kb models pull" in knowledge_base.models.answering().note


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX")
def test_what_is_made_is_for_nobody_else_whatever_the_umask_and_what_was_open_is_closed(settings: Settings) -> None:
    settings.home.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        with open_knowledge_base(settings) as knowledge_base:
            assert knowledge_base.documents() == []
            made = {settings.home, *settings.home.iterdir()}
            assert {f"{CATALOG_NAME}{end}" for end in ("", "-wal", "-shm")} <= {path.name for path in made}
            assert [path.name for path in made if path.stat().st_mode & 0o077] == []
    finally:
        os.umask(before)


def test_data_directory_is_opened_once(settings: Settings) -> None:
    with (
        open_knowledge_base(settings) as knowledge_base,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        knowledge_base.announce(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(DataDirectoryLocked, match="listening at http"):
            open_knowledge_base(settings)
        assert knowledge_base.documents() == []
    assert find_owner(settings.home) is None
    open_knowledge_base(settings).close()


@pytest.mark.parametrize(
    ("content", "error"), [(b"not a database " * 500, StorageError), (None, SchemaMismatch)], ids=["damaged", "newer"]
)
def test_catalog_that_does_not_open_gives_the_data_directory_back(
    settings: Settings, content: bytes | None, error: type[KBError]
) -> None:
    open_knowledge_base(settings).close()
    path = settings.home / CATALOG_NAME
    if content is None:
        newer = bytearray(path.read_bytes())
        newer[60:64] = (999).to_bytes(4, "big")  # user_version, sqlite.org/fileformat.html
        content = bytes(newer)
    path.write_bytes(content)
    with pytest.raises(error) as caught:
        open_knowledge_base(settings)
    DataDirectoryLock(settings.home).release()
    assert str(path) in caught.value.message


def test_everything_is_there_again_after_a_restart(settings: Settings, knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    knowledge_base.close()
    embedder = FakeEmbedder()
    with open_fake_knowledge_base(settings, embedder=embedder) as again:
        (passage,) = again.search("second dome")
        assert passage.document_id == document_id
        assert passage.similarity is not None
    assert embedder.embedded == []


def test_closed_library_says_so_and_leaves_the_data_directory_alone(
    settings: Settings, knowledge_base: KnowledgeBase
) -> None:
    add(knowledge_base, "dome.md", DOME)
    knowledge_base.close()
    knowledge_base.close()
    next_owner = DataDirectoryLock(settings.home)
    for work in (
        knowledge_base.documents,
        lambda: knowledge_base.search("dome"),
        lambda: knowledge_base.ask("dome?"),
        lambda: add(knowledge_base, "bread.md", BREAD),
        knowledge_base.note_sync,
    ):
        with pytest.raises(KBError, match="closed"):
            work()
    next_owner.release()


def test_closing_while_models_load_does_not_wait_and_closes_what_comes(settings: Settings) -> None:
    begun, goes_on = threading.Barrier(3), threading.Event()
    model = WatchedModel()

    def wait(name: str) -> None:
        begun.wait(PATIENCE_SECONDS)
        goes_on.wait(PATIENCE_SECONDS)

    knowledge_base = open_fake_knowledge_base(settings, model=model, before_loading=wait)
    with ThreadPoolExecutor(1) as pool:
        question = pool.submit(knowledge_base.ask, "When does the second dome open?")
        knowledge_base.models.start()
        begun.wait(PATIENCE_SECONDS)
        knowledge_base.close()
        with pytest.raises(KBError, match="closed"):
            question.result(PATIENCE_SECONDS / 2)
    open_fake_knowledge_base(settings).close()
    goes_on.set()
    assert model.closed.wait(PATIENCE_SECONDS)
    with pytest.raises(KBError):
        model.count_tokens("")


def test_closing_while_a_document_is_embedded_ends_the_work_before_the_commit(settings: Settings) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    class SlowEmbedder(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            begun.set()
            goes_on.wait(PATIENCE_SECONDS)
            return super().embed_passages(texts)

    knowledge_base = open_fake_knowledge_base(settings, embedder=SlowEmbedder())
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(add, knowledge_base, "dome.md", DOME)
        assert begun.wait(PATIENCE_SECONDS)
        knowledge_base.close()
        goes_on.set()
        with pytest.raises(KBError, match="closed"):
            work.result(PATIENCE_SECONDS)
    with open_fake_knowledge_base(settings) as again:
        assert again.documents() == []


def test_closing_while_a_question_is_answered_ends_in_time(settings: Settings) -> None:
    model, goes_on = blocked_model()
    knowledge_base = open_fake_knowledge_base(settings, model=model)
    add(knowledge_base, "dome.md", DOME)
    events = knowledge_base.ask_stream("When does the second dome open?")
    next(event for event in events if isinstance(event, Heartbeat))
    knowledge_base.close()
    goes_on.set()
    events.close()
    assert model.finished == ["cancelled"]
