import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from kb.answering.models import Models
from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.data_directory import DataDirectoryLock, find_owner
from kb.errors import (
    DataDirectoryLocked,
    InvalidRequest,
    KBError,
    ModelMissing,
    NotFound,
    RequestTooLarge,
    SchemaMismatch,
    StorageError,
)
from kb.indexing.startup import open_index
from kb.indexing.upkeep import Upkeep
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import Loading, LoadState
from kb.ports import LanguageModel, Vectors
from kb.settings import Settings, load
from kb.values.answers import AnswerDelta, Done, PassagesFound, Thinking
from kb.values.chat import Heartbeat, LanguageModelInfo, Turn
from kb.values.documents import Chunk, Document, FailureKind, FileVersion, WatchedFolder
from kb.values.progress import Progress, Report
from kb.wiring import CATALOG_NAME, open_knowledge_base
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder, FakeLanguageModel, FakeVectorIndex
from tests.harness import open_fake_knowledge_base

DOME = "The second dome opens at nine in the evening."
BREAD = "Bread is baked from flour and water."
PATIENCE_SECONDS = 10.0


class WatchedIndex(FakeVectorIndex):
    """Tells when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The fake vectors lie farther apart than those of a real model."""
    return load(home=tmp_path / "home", models=tmp_path / "models", min_evidence=0.0)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def model() -> FakeLanguageModel:
    return FakeLanguageModel("It opens at nine in the evening.", "Let us see.")


@pytest.fixture
def knowledge_base(settings: Settings, embedder: FakeEmbedder, model: FakeLanguageModel) -> Iterator[KnowledgeBase]:
    with open_fake_knowledge_base(settings, embedder=embedder, model=model) as knowledge_base:
        yield knowledge_base


def file_named(source: str, modified_ns: int = 1_000) -> FileVersion:
    return FileVersion("/notes", source, 10, modified_ns, f"hash of {source}")


def add(knowledge_base: KnowledgeBase, source: str, *texts: str, check: Callable[[], None] = lambda: None) -> str:
    chunks, start = [], 0
    for text in texts:
        chunks.append(Chunk(start, start + len(text), text, tokens=len(text)))
        start += len(text) + 1
    return knowledge_base.replace(
        file_named(source), Document(source, "text/markdown", "\n".join(texts), ()), chunks, check
    )


def maintained(knowledge_base: KnowledgeBase) -> int:
    """Takes steps until there is nothing more to do; gives their number."""
    steps = 0
    while knowledge_base.maintain():
        steps += 1
    return steps


def blocked_model() -> tuple[FakeLanguageModel, threading.Event]:
    goes_on = threading.Event()
    return FakeLanguageModel("It opens at nine in the evening.", goes_on=goes_on), goes_on


# Questions


def test_question_gets_a_cited_answer(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    answer = knowledge_base.ask("When does the second dome open?")
    assert answer.answer == "It opens at nine in the evening."
    assert (answer.answerable, answer.finish_reason, answer.model) == (True, "stop", "fake")
    (citation,) = answer.citations
    assert citation.verified
    assert citation.quote == knowledge_base.text(document_id, citation.start, citation.end) == DOME


def test_stream_ends_with_the_answer_that_ask_gives(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "dome.md", DOME)
    events = list(knowledge_base.ask_stream("When does the second dome open?"))
    assert isinstance(events[0], PassagesFound)
    assert isinstance(events[-1], Done)
    assert events[-1].answer.answer == knowledge_base.ask("When does the second dome open?").answer


@pytest.mark.parametrize("question", ["", "  \n ", "\u3000"])
def test_empty_question_is_refused(knowledge_base: KnowledgeBase, question: str) -> None:
    for work in (knowledge_base.ask, knowledge_base.ask_stream, knowledge_base.search):
        with pytest.raises(InvalidRequest, match="empty"):
            work(question)


def test_question_that_is_too_long_is_refused_with_its_length_and_the_limit(knowledge_base: KnowledgeBase) -> None:
    limit = knowledge_base.settings.max_question_chars
    for work in (knowledge_base.ask, knowledge_base.ask_stream, knowledge_base.search):
        with pytest.raises(RequestTooLarge, match=f"{limit + 1:,}.*{limit:,}"):
            work("x" * (limit + 1))
    knowledge_base.search("x" * limit)


def test_question_without_documents_is_not_answered(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    answer = knowledge_base.ask("When does the second dome open?")
    assert (answer.answerable, answer.finish_reason, answer.passages) == (False, "no_evidence", ())
    assert model.asked == []


@pytest.mark.parametrize(("thinking", "reasoning_tokens"), [("off", 0), ("short", 11), ("full", 22), (None, 22)])
def test_thinking_is_a_budget(settings: Settings, thinking: Thinking | None, reasoning_tokens: int) -> None:
    budgets = {"thinking": "full", "reasoning_short_tokens": 11, "reasoning_full_tokens": 22, "answer_tokens": 33}
    model = FakeLanguageModel(reasoning="Let us see.")
    with open_fake_knowledge_base(settings.model_copy(update=budgets), model=model) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        knowledge_base.ask("When does it open?", thinking=thinking)
    (options,) = model.options
    assert (options.reasoning_tokens, options.answer_tokens) == (reasoning_tokens, 33)


def test_follow_up_question_is_looked_for_together_with_the_one_before(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "dome.md", DOME)
    for number in range(30):
        add(knowledge_base, f"{number}.md", f"And it is wall number {number}, and it is old.")
    question, before = "And who built it?", Turn("When does the second dome open?", "At nine.")
    assert DOME not in [passage.text for passage in knowledge_base.ask(question).passages]
    assert DOME in [passage.text for passage in knowledge_base.ask(question, [before]).passages]


def test_number_of_passages_can_be_chosen(knowledge_base: KnowledgeBase) -> None:
    for number in range(9):
        add(knowledge_base, f"{number}.md", f"Wall number {number} is old.")
    assert len(knowledge_base.search("old wall")) == knowledge_base.settings.top_k
    assert len(knowledge_base.search("old wall", 2)) == 2
    (found, *_) = knowledge_base.ask_stream("old wall?", top_k=3)
    assert isinstance(found, PassagesFound)
    assert len(found.passages) == 3


def test_closing_the_stream_stops_the_model(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    add(knowledge_base, "dome.md", DOME)
    events = knowledge_base.ask_stream("When does the second dome open?")
    next(event for event in events if isinstance(event, AnswerDelta))
    events.close()
    assert model.finished == ["cancelled"]


def test_state_of_the_index_comes_with_the_answer(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.note_pending(3)
    knowledge_base.record_failure(file_named("broken.pdf"), "encrypted", "")
    knowledge_base.note_sync()
    index = knowledge_base.ask("When?").index
    assert (index.pending, index.failed) == (3, 1)
    assert index.last_sync
    assert index.last_sync is not None


# Documents


def test_document_is_listed_and_read(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME, BREAD)
    assert [document.id for document in knowledge_base.documents()] == [document_id]
    assert knowledge_base.document(document_id).file == file_named("dome.md")
    assert knowledge_base.text(document_id) == f"{DOME}\n{BREAD}"
    assert knowledge_base.text(document_id, 4, 10) == "second"
    assert knowledge_base.counts() == (1, 2)


def test_document_is_found_by_its_file(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    found = knowledge_base.find("/notes", "dome.md")
    assert found is not None
    assert found.id == document_id
    assert knowledge_base.find("/notes", "other.md") is None
    assert knowledge_base.find("/other", "dome.md") is None


def test_unknown_document_is_not_found(knowledge_base: KnowledgeBase) -> None:
    for work in (knowledge_base.document, knowledge_base.text, knowledge_base.forget):
        with pytest.raises(NotFound, match="'unknown'"):
            work("unknown")


def test_moved_document_keeps_its_id_and_embeds_nothing(knowledge_base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    embedder.embedded.clear()
    knowledge_base.move(document_id, file_named("domes/second.md", 2_000))
    assert embedder.embedded == []
    assert knowledge_base.find("/notes", "dome.md") is None
    (passage,) = knowledge_base.search("second dome")
    assert (passage.document_id, passage.source) == (document_id, "domes/second.md")


def test_title_made_of_the_file_name_follows_the_file(knowledge_base: KnowledgeBase) -> None:
    plain = Document("dome", "text/plain", DOME, ())
    document_id = knowledge_base.replace(file_named("dome.txt"), plain, [Chunk(0, len(DOME), DOME)])
    knowledge_base.move(document_id, file_named("old/second dome.txt", 2_000))
    assert knowledge_base.document(document_id).title == "second dome"


def test_a_model_that_is_being_fetched_is_called_so(settings: Settings) -> None:
    reported, fetched = threading.Event(), threading.Event()

    def load_model(report: Report) -> LanguageModel:
        report(Progress("some-model", 1, 2))
        reported.set()
        fetched.wait(20)
        return FakeLanguageModel()

    def load_retrieval(_: Report) -> Upkeep:
        return open_index(catalog, FakeIndexStores(), Space("fake"), FakeEmbedder(), lambda space: None)

    lock = DataDirectoryLock(settings.home)
    catalog = Catalog(settings.home / CATALOG_NAME)
    loadings = Loading("embedding model", load_retrieval), Loading("answering model", load_model)
    with KnowledgeBase(settings, lock, catalog, Models(settings, *loadings)) as knowledge_base:
        knowledge_base.models.start()
        assert reported.wait(20)
        assert knowledge_base.models.answering().note == "some-model is being fetched"
        fetched.set()
        assert knowledge_base.models.wait_for_model(20)
        assert knowledge_base.models.answering().name == "fake"


def test_removed_document_never_answers(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    knowledge_base.remove(document_id)
    assert knowledge_base.search("second dome") == ()
    assert knowledge_base.failures() == []
    assert not knowledge_base.ask("When does the second dome open?").answerable


def test_forgotten_document_is_gone_and_its_file_is_listed_with_the_reason(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    assert knowledge_base.forget(document_id).file == file_named("dome.md")
    assert knowledge_base.documents() == []
    (failure,) = knowledge_base.failures()
    assert (failure.file, failure.attempts) == (file_named("dome.md"), 1)
    assert failure.kind is FailureKind.FORGOTTEN
    assert "your wish" in failure.reason
    assert knowledge_base.retry_failures() == 0
    knowledge_base.clear_failure("/notes", "dome.md")
    assert knowledge_base.failures() == []


def test_document_can_be_forgotten_before_the_embedding_model_is_there(settings: Settings) -> None:
    with open_fake_knowledge_base(settings) as knowledge_base:
        document_id = add(knowledge_base, "dome.md", DOME)
    with open_fake_knowledge_base(settings) as knowledge_base:
        knowledge_base.forget(document_id)
        assert knowledge_base.models.embedding().loading.state is LoadState.WAITING
        assert knowledge_base.search("second dome") == ()
        assert maintained(knowledge_base) > 0


def test_move_of_a_document_that_was_just_forgotten_is_no_error(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    knowledge_base.forget(document_id)
    knowledge_base.move(document_id, file_named("other.md"))
    assert knowledge_base.documents() == []


def test_version_of_readers_and_chunker_is_kept_with_the_document(knowledge_base: KnowledgeBase) -> None:
    document = Document("dome", "text/plain", DOME, ())
    document_id = knowledge_base.replace(file_named("dome.txt"), document, [Chunk(0, len(DOME), DOME)], recipe="7")
    assert knowledge_base.document(document_id).recipe == "7"
    assert knowledge_base.outdate() == 1
    assert knowledge_base.document(document_id).recipe == ""


@pytest.mark.parametrize(("wish", "embedded"), [("renew_index", []), ("reembed", [DOME])])
def test_index_is_made_anew_at_the_users_wish(
    knowledge_base: KnowledgeBase, embedder: FakeEmbedder, wish: str, embedded: list[str]
) -> None:
    add(knowledge_base, "dome.md", DOME)
    assert maintained(knowledge_base) == 0
    embedder.embedded.clear()
    getattr(knowledge_base, wish)()
    assert maintained(knowledge_base) > 0
    assert embedder.embedded == embedded
    assert knowledge_base.index_work() is None
    assert [passage.text for passage in knowledge_base.search("second dome")] == [DOME]
    assert maintained(knowledge_base) == 0


def test_progress_of_a_new_index_is_told(settings: Settings) -> None:
    with open_fake_knowledge_base(settings) as knowledge_base:
        assert knowledge_base.index_work() is None
        add(knowledge_base, "dome.md", DOME, BREAD)
    with open_fake_knowledge_base(settings, embedder=FakeEmbedder("other")) as knowledge_base:
        assert knowledge_base.wait_for_index(PATIENCE_SECONDS)
        work = knowledge_base.index_work()
        assert work is not None
        assert (work.done, work.total, work.unit) == (0, 2, "chunks")
        maintained(knowledge_base)
        assert knowledge_base.index_work() is None


def test_many_threads_may_forget_while_one_replaces_and_maintains(knowledge_base: KnowledgeBase) -> None:
    def forget(number: int) -> None:
        for document in knowledge_base.documents():
            if document.file.source.startswith(f"{number}-"):
                with suppress(NotFound):
                    knowledge_base.forget(document.id)
        knowledge_base.renew_index()

    with ThreadPoolExecutor(4) as pool:
        for round_ in range(12):
            for number in range(4):
                add(knowledge_base, f"{number}-{round_}.md", f"Wall number {number} of round {round_} is old.")
            futures = [pool.submit(forget, number) for number in range(3)]
            knowledge_base.maintain()
            for future in futures:
                future.result(PATIENCE_SECONDS)
    maintained(knowledge_base)
    assert {document.file.source[:2] for document in knowledge_base.documents()} == {"3-"}
    assert len(knowledge_base.search("old wall", 50)) == 12


def test_work_can_be_broken_off_and_changes_nothing(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "dome.md", DOME)

    def stop() -> None:
        raise KBError("stopped")

    with pytest.raises(KBError, match="stopped"):
        add(knowledge_base, "dome.md", BREAD, check=stop)
    assert [passage.text for passage in knowledge_base.search("dome bread")] == [DOME]


def test_folders_are_remembered(knowledge_base: KnowledgeBase) -> None:
    folders = [WatchedFolder("/papers", 7), WatchedFolder("/notes")]
    knowledge_base.remember_folders(folders)
    assert knowledge_base.folders() == folders


def test_tokens_are_those_of_the_embedding_model(knowledge_base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    assert knowledge_base.count_tokens([DOME, ""]) == embedder.count_tokens([DOME, ""])


# Models


def test_models_are_loaded_when_they_are_needed_and_not_before(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.documents() == []
    assert knowledge_base.models.embedding().loading.state is LoadState.WAITING
    knowledge_base.search("dome")
    assert knowledge_base.models.embedding().loading.state is LoadState.READY
    assert knowledge_base.models.answering().loading.state is LoadState.WAITING
    assert knowledge_base.models.wait_for_model(PATIENCE_SECONDS)
    status = knowledge_base.models.answering()
    assert (status.name, status.loading.state) == ("fake", LoadState.READY)
    assert isinstance(status.info, LanguageModelInfo)


def test_warming_up_loads_both_models(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.models.start()
    assert knowledge_base.wait_for_index(PATIENCE_SECONDS)
    assert knowledge_base.models.wait_for_model(PATIENCE_SECONDS)


def test_model_that_failed_is_tried_again_when_somebody_waits_for_it(settings: Settings) -> None:
    failures = iter([ModelMissing("no network"), None])

    def fail_once(name: str) -> None:
        if name == "answering" and (error := next(failures)):
            raise error

    with open_fake_knowledge_base(settings, before_loading=fail_once) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        with pytest.raises(ModelMissing, match="no network"):
            knowledge_base.ask("When does the second dome open?")
        assert knowledge_base.search("second dome"), "passages are found without the answering model"
        assert knowledge_base.models.wait_for_model(PATIENCE_SECONDS)
        assert knowledge_base.ask("When does the second dome open?").answerable


# Opening and closing


def test_opening_is_quick_and_loads_nothing(settings: Settings) -> None:
    with open_knowledge_base(settings) as knowledge_base:
        assert knowledge_base.documents() == []
        assert knowledge_base.models.embedding().loading.state is LoadState.WAITING
        assert knowledge_base.models.answering().name == ""
        assert "kb models pull" in knowledge_base.models.answering().note


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
    index, model = WatchedIndex(), FakeLanguageModel()

    def wait(name: str) -> None:
        begun.wait(PATIENCE_SECONDS)
        goes_on.wait(PATIENCE_SECONDS)

    knowledge_base = open_fake_knowledge_base(settings, index=index, model=model, before_loading=wait)
    with ThreadPoolExecutor(1) as pool:
        question = pool.submit(knowledge_base.ask, "When does the second dome open?")
        knowledge_base.models.start()
        begun.wait(PATIENCE_SECONDS)
        knowledge_base.close()
        with pytest.raises(KBError, match="closed"):
            question.result(PATIENCE_SECONDS / 2)
    open_fake_knowledge_base(settings).close()
    goes_on.set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_closed(model) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_closed(model)


def is_closed(model: FakeLanguageModel) -> bool:
    try:
        model.count_tokens("")
    except KBError:
        return True
    return False


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
