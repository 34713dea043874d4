import datetime
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.folders.settling import PATIENCE
from ingest.pipeline import indexer
from kb.settings import Settings
from kb.values.documents import FailureKind
from tests.harness import eventually, quick_settings, take_permission, watching

DOME = "# Dome\n\nThe second dome was repaired in March.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


@pytest.fixture
def impatient(tmp_path: Path) -> Settings:
    """No file is read in time."""
    return quick_settings(tmp_path / "home", parse_seconds=0.0001)


def test_file_that_ends_its_reader_is_tried_once_more_and_then_left_alone(
    impatient: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "RETRY_AFTER", datetime.timedelta(seconds=0.3))
    with watching(impatient, folder) as watched:
        watched.write("slow.md", DOME)
        watched.sync()
        failure = watched.failures["slow.md"]
        assert (failure.attempts, failure.kind) == (1, FailureKind.UNREADABLE)
        assert failure.next_try_at
        assert eventually(lambda: watched.failures["slow.md"].kind is FailureKind.QUARANTINED)
        for _ in range(3):
            watched.sync()
        failure = watched.failures["slow.md"]
        assert (failure.attempts, failure.next_try_at) == (2, None)


def test_quarantine_ends_when_the_file_changes(
    impatient: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "MAX_DEATHS", 1)
    with watching(impatient, folder) as watched:
        path = watched.write("slow.md", DOME)
        watched.sync()
        assert watched.failures["slow.md"].kind is FailureKind.QUARANTINED
        path.write_text(DOME * 2000)
        watched.sync()
        assert watched.failures["slow.md"].kind is FailureKind.QUARANTINED
        assert watched.failures["slow.md"].attempts == 1, "of this version"


def test_quarantine_ends_when_the_user_says_so(
    impatient: Settings, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "MAX_DEATHS", 1)
    with watching(impatient, folder) as watched:
        watched.write("slow.md", DOME)
        watched.sync()
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == []
        assert watched.pipeline.sync(15, retry=True)
        assert (watched.sources, watched.failures) == (["slow.md"], {})


def test_forgotten_file_is_not_tried_again_even_on_demand(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("dome.md", DOME)
        watched.sync()
        watched.knowledge_base.forget(watched.documents["dome.md"].id)
        assert watched.pipeline.sync(15, retry=True)
        assert (watched.sources, watched.failures["dome.md"].kind) == ([], FailureKind.FORGOTTEN)
        watched.write("dome.md", DOME + "And again in May.\n")
        watched.sync()
        assert (watched.sources, watched.failures) == (["dome.md"], {})


def test_folder_that_cannot_be_read_is_listed_and_its_documents_stay(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("private/dome.md", DOME)
        watched.sync()
        private = folder / "private"
        take_permission(private)
        try:
            watched.sync()
            assert watched.sources == ["private/dome.md"]
            assert "ermission" in watched.knowledge_base.failures()[0].reason
        finally:
            private.chmod(0o755)
        watched.sync()
        assert (watched.sources, watched.knowledge_base.failures()) == (["private/dome.md"], [])


def test_rules_take_files_out_and_let_them_in_again(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("drafts/dome.md", DOME)
        watched.write("dome.md", DOME)
        watched.sync()
        rules = watched.write(".kbignore", "drafts/\n")
        watched.sync()
        assert watched.sources == ["dome.md"]
        rules.unlink()
        watched.sync()
        assert watched.sources == ["dome.md", "drafts/dome.md"]
        assert len(watched.embedder.embedded) == 1


def test_rules_that_cannot_be_read_are_listed_until_they_can(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        rules = watched.write(".kbignore", b"x" * 2_000_000)
        for _ in range(2):
            watched.sync()
            assert list(watched.failures) == [".kbignore"]
            assert watched.failures[".kbignore"].attempts == 1
        rules.unlink()
        watched.sync()
        assert not watched.failures


def test_files_that_no_loader_reads_are_counted_and_are_no_failures(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        for name in ("a.doc", "b.DOC", "c.zip", "README"):
            watched.write(name, "x")
        watched.sync()
        assert watched.pipeline.status.unsupported == {".doc": 2, ".zip": 1, "": 1}
        assert not watched.failures


def test_file_with_its_time_set_back_is_read_again(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        path = watched.write("dome.md", DOME)
        watched.sync()
        times = path.stat()
        path.write_text(DOME.replace("second", "eighth"))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        watched.sync()
        assert watched.finds("eighth dome") == ["dome.md"]


@contextmanager
def appending(path: Path) -> Iterator[None]:
    """Writes to a file without end."""
    stop = threading.Event()

    def write() -> None:
        with path.open("a") as file:
            while not stop.wait(0.005):
                file.write("one more line\n")
                file.flush()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_sync_returns_though_a_file_never_comes_to_rest(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched, appending(watched.write("log.md", DOME)):
        watched.write("dome.md", DOME)
        began = time.monotonic()
        watched.sync()
        assert watched.sources == ["dome.md", "log.md"]
        assert time.monotonic() - began < 4 * PATIENCE * settings.settle_seconds


def test_folder_whose_drive_is_not_mounted_keeps_its_documents(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        path = watched.write("dome.md", DOME)
        watched.sync()
        [known] = watched.knowledge_base.folders()
        path.unlink()
        # As if the folder's drive had had another number while the file was there.
        watched.knowledge_base.remember_folders([type(known)(known.root, (known.device or 0) + 1)])
        watched.pipeline.stop()
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == ["dome.md"]
        assert watched.pipeline.status.folders == ((folder, False),)


def test_reindex_reads_everything_anew_and_embeds_nothing(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("dome.md", DOME)
        watched.sync()
        before = watched.documents["dome.md"]
        watched.pipeline.reindex()
        watched.sync()
        after = watched.documents["dome.md"]
        assert after.indexed_at > before.indexed_at
        assert after.id == before.id
        assert len(watched.embedder.embedded) == 1
        assert watched.finds("second dome") == ["dome.md"]


def test_document_of_another_recipe_answers_until_it_is_read_anew(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("dome.md", DOME)
        watched.sync()
        assert watched.knowledge_base.outdate() == 1
        assert watched.finds("second dome") == ["dome.md"]
        watched.sync()
        assert watched.documents["dome.md"].recipe != ""
