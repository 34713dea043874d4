import signal
import threading
import time
from pathlib import Path

import pytest

from kb.errors import (
    SettingsError,
)
from kb.models.loading import LoadState
from kb.settings import Settings
from kb.values.documents import FailureKind, WatchedFolder
from server.client.local import Local, watched_folders
from server.http import schemas
from tests.harness import open_fake_knowledge_base, quick_settings
from tests.server.client.watching import ignore, show_nothing


def test_question_in_the_terminal_waits_for_a_reranker_that_loads_as_no_second_one_will_come(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "home", reranker="owner/reranker", folders=(tmp_path,))
    for ask in (
        lambda service: service.search("dome", None),
        lambda service: list(service.ask("When was the dome repaired?")),
    ):
        knowledge_base = open_fake_knowledge_base(settings)
        service = Local(knowledge_base, show_nothing, settings)
        ask(service)
        reranker = knowledge_base.models.reranker()
        assert reranker is not None
        assert reranker.loading.state is LoadState.READY
        service.close()


def test_interrupted_sync_ends_at_once(settings: Settings, folder: Path) -> None:
    settings = settings.model_copy(update={"settle_seconds": 60.0})
    knowledge_base = open_fake_knowledge_base(settings)
    (folder / "new.md").write_text("# New\n\nStill being written.\n")
    local = Local(knowledge_base, show_nothing, settings)
    interrupted_at: list[float] = []

    def interrupt(status: schemas.Status) -> None:
        if not interrupted_at:
            interrupted_at.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        local.sync(interrupt)
    local.close()
    assert time.monotonic() - interrupted_at[0] < 2


def test_given_folders_come_before_those_set_and_those_of_the_last_time(settings: Settings, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (tmp_path / "link").symlink_to(given)
    with open_fake_knowledge_base(settings) as knowledge_base:
        knowledge_base.remember_folders([WatchedFolder("/before"), WatchedFolder("/after")])
        assert watched_folders(settings, knowledge_base, [tmp_path / "link"]) == (given,)
        assert watched_folders(settings, knowledge_base) == settings.folders
        assert watched_folders(settings.model_copy(update={"folders": ()}), knowledge_base) == (
            Path("/before"),
            Path("/after"),
        )


def test_folders_that_cannot_be_watched_are_refused_where_they_are_needed(settings: Settings, tmp_path: Path) -> None:
    nothing = settings.model_copy(update={"folders": ()})
    bad = tmp_path / b"b\xfccher".decode(errors="surrogateescape")
    bad.mkdir()
    with open_fake_knowledge_base(settings) as knowledge_base:
        assert watched_folders(nothing, knowledge_base, required=False) == ()
        with pytest.raises(SettingsError, match="no folder to watch"):
            watched_folders(nothing, knowledge_base)
        with pytest.raises(SettingsError, match="is not a folder"):
            watched_folders(settings, knowledge_base, [tmp_path / "missing"])
        with pytest.raises(SettingsError, match="not valid UTF-8"):
            watched_folders(settings, knowledge_base, [bad])


def test_questions_go_on_while_a_folder_is_away(settings: Settings, folder: Path) -> None:
    local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
    local.sync(ignore)
    local.close()
    folder.rename(folder.with_name("away"))
    local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
    assert local.status().folders == [schemas.Folder(path=str(folder), reachable=False)]
    assert local.search("dome", 1).passages[0].source == "dome.md"
    with pytest.raises(SettingsError, match="is not a folder"):
        local.sync(ignore)
    local.close()


def test_reindex_that_nobody_waits_for_is_done_with_the_next_sync(settings: Settings) -> None:
    def at_once() -> Local:
        return Local(open_fake_knowledge_base(settings), show_nothing, settings)

    local = at_once()
    local.sync(ignore)
    (before,) = local.documents().documents
    local.close()
    local = at_once()
    assert "kb sync" in local.start_reindex(embed=False).message
    local.close()
    local = at_once()
    local.sync(ignore)
    (after,) = local.documents().documents
    assert after.indexed_at > before.indexed_at
    local.close()


def test_what_was_forgotten_without_a_server_leaves_no_trace(settings: Settings, folder: Path) -> None:
    (folder / "diary.md").write_text("# Diary\n\nThe word is zyzzyvaquark.\n")
    for attempt in ("sync", "forget"):
        local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
        if attempt == "sync":
            local.sync(ignore)
        else:
            (found,) = (document for document in local.documents().documents if document.source == "diary.md")
            local.forget([found.id])
        local.close()
        stored = b"".join(path.read_bytes() for path in settings.home.rglob("*") if path.is_file())
        assert (b"zyzzyvaquark" in stored) is (attempt == "sync")


def test_failed_files_are_tried_again_at_the_user_s_word(settings: Settings, folder: Path) -> None:
    knowledge_base = open_fake_knowledge_base(settings)
    local = Local(knowledge_base, show_nothing, settings)
    local.sync(ignore)
    (document,) = knowledge_base.documents()
    knowledge_base.remove(document.id)
    knowledge_base.record_failure(document.file, "its reader ended", "", kind=FailureKind.QUARANTINED)
    local.close()
    for retry, documents in ((False, 0), (True, 1)):
        local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
        assert local.sync(ignore, retry=retry).documents == documents
        local.close()
