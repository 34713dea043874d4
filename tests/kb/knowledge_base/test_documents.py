import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from kb.errors import (
    KBError,
    NotFound,
)
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import LoadState
from kb.settings import Settings
from kb.values.documents import Chunk, Document, FailureKind, WatchedFolder
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, PATIENCE_SECONDS, add, file_named, maintained


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


def test_indexing_waits_while_a_model_is_measured(knowledge_base: KnowledgeBase) -> None:
    done = threading.Event()

    def index() -> None:
        add(knowledge_base, "dome.md", DOME)
        done.set()

    knowledge_base.wait_for_index()
    worker = threading.Thread(target=index)
    with knowledge_base.models.quiet.kept():
        worker.start()
        assert not done.wait(0.3)
        assert knowledge_base.counts() == (0, 0)
    worker.join(10)
    assert knowledge_base.counts() == (1, 1)
