import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from kb.errors import KBError, StorageError
from kb.ports import Vectors
from kb.settings import Settings
from tests.fakes import FakeEmbedder, FakeVectorIndex
from tests.harness import Watched, eventually, quick_settings, take_permission, watching

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
OTTER = "# Otters\n\nOtters sleep while they float.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watching(quick_settings(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("watched")) as shared:
        yield shared


@pytest.fixture
def watched(shared: Watched) -> Iterator[Watched]:
    """A folder of the test's own, in one that is watched already."""
    folder = shared.folder / "own"
    folder.mkdir()
    shared.sync()
    yield Watched(shared.knowledge_base, shared.pipeline, folder, shared.embedder)
    shutil.rmtree(folder)
    shared.sync()
    assert shared.sources == []


class SlowEmbedder(FakeEmbedder):
    """Takes its time for each batch."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(self._seconds)
        return super().embed_passages(texts)


class FailingIndex(FakeVectorIndex):
    """Has no room as long as it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.unforeseen: Exception | None = None

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        if self.unforeseen:
            raise self.unforeseen
        if self.full:
            raise StorageError("the disk is full", "free some space")
        super().upsert(ids, vectors)

    def delete(self, ids: Iterable[str]) -> None:
        if self.unforeseen:
            raise self.unforeseen
        super().delete(ids)


def test_dropped_file_is_found_without_being_asked_for(watched: Watched) -> None:
    watched.write("sub/dome.md", DOME)
    assert eventually(lambda: watched.finds("second dome") == ["sub/dome.md"])


def test_files_that_were_there_before_are_indexed_at_the_start(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == ["dome.md"]


def test_edit_replaces_what_was_there_and_embeds_only_what_is_new(watched: Watched) -> None:
    watched.write("notes.md", f"{DOME}\n{OTTER}")
    watched.sync()
    before = len(watched.embedder.embedded)
    watched.write("notes.md", f"{DOME.replace('March', 'April')}\n{OTTER}")
    watched.sync()
    assert watched.finds("repaired in April") == ["notes.md"]
    assert watched.finds("repaired in March") == []
    new = watched.embedder.embedded[before:]
    assert len(new) == len(set(new)) > 0
    assert all("April" in text for text in new)


def test_file_that_is_written_slowly_is_read_once_and_whole(settings: Settings, folder: Path) -> None:
    with watching(settings.model_copy(update={"settle_seconds": 0.4}), folder) as watched:
        with (folder / "slow.txt").open("w") as file:
            for number in range(8):
                print(f"Line {number} of the slow file.", file=file, flush=True)
                time.sleep(0.08)
        watched.sync()
        assert watched.sources == ["slow.txt"]
        assert all("Line 7" in text for text in watched.embedder.embedded)


def test_file_from_the_future_is_indexed_once_it_is_still(watched: Watched) -> None:
    tomorrow = time.time() + 86_400
    os.utime(watched.write("dome.md", DOME), (tomorrow, tomorrow))
    watched.sync()
    assert watched.sources == ["dome.md"]


def test_rename_and_move_embed_nothing_and_keep_the_id(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.write("old/otter.md", OTTER)
    watched.sync()
    before = {document.id for document in watched.documents.values()}
    embedded = len(watched.embedder.embedded)
    (watched.folder / "dome.md").rename(watched.folder / "第二座圆顶.md")
    (watched.folder / "old").rename(watched.folder / "new")
    watched.sync()
    assert watched.sources == ["new/otter.md", "第二座圆顶.md"]
    assert {document.id for document in watched.documents.values()} == before
    assert len(watched.embedder.embedded) == embedded
    assert watched.finds("float") == ["new/otter.md"]


def test_rename_over_another_file_leaves_the_one(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.write("otter.md", OTTER)
    watched.sync()
    embedded = len(watched.embedder.embedded)
    (watched.folder / "dome.md").replace(watched.folder / "otter.md")
    watched.sync()
    assert (watched.sources, watched.finds("dome"), watched.finds("float")) == (["otter.md"], ["otter.md"], [])
    assert len(watched.embedder.embedded) == embedded


def test_deleted_file_and_deleted_folder_answer_no_more(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.write("sub/otter.md", OTTER)
    watched.sync()
    (watched.folder / "dome.md").unlink()
    assert eventually(lambda: watched.finds("dome") == [])
    (watched.folder / "sub" / "otter.md").unlink()
    (watched.folder / "sub").rmdir()
    assert eventually(lambda: watched.sources == [])


def test_atomic_saves_are_followed_and_the_document_is_never_gone(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.sync()
    document_id = watched.documents["dome.md"].id
    missing = threading.Event()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            if not watched.finds("dome"):
                missing.set()

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(5):
        watched.write(".dome.md.tmp", f"{DOME}\nRevision {number} of the dome.\n").replace(watched.folder / "dome.md")
        time.sleep(0.1)
        # Some editors take the old file away first.
        (watched.folder / "dome.md").rename(watched.folder / "dome.md~")
        watched.write("dome.md", f"{DOME}\nRevision {number} of the dome, saved again.\n")
    watched.sync()
    done.set()
    reader.join()
    assert watched.finds("Revision 4 again") == ["dome.md"]
    assert watched.documents["dome.md"].id == document_id
    assert not missing.is_set()


def test_broken_empty_and_wordless_files_are_listed_with_a_reason(watched: Watched) -> None:
    watched.write("broken.pdf", b"%PDF-1.7 and no more")
    watched.write("empty.md", "")
    watched.write("empty.pdf", b"")
    watched.write("picture.png", b"\x89PNG")
    watched.write("dome.md", DOME)
    watched.sync()
    assert watched.sources == ["dome.md"]
    assert watched.reasons.keys() == {"broken.pdf", "empty.md", "empty.pdf"}
    assert all(watched.reasons.values())


def test_failed_file_rests_until_it_changes(watched: Watched) -> None:
    path = watched.write("report.md", b"")
    watched.sync()
    watched.write("dome.md", DOME)
    watched.sync()
    assert watched.failures["report.md"].attempts == 1
    path.write_text(OTTER)
    watched.sync()
    assert (watched.reasons, watched.finds("float")) == ({}, ["report.md"])


def test_file_that_becomes_unreadable_answers_no_more(watched: Watched) -> None:
    path = watched.write("dome.md", DOME)
    watched.sync()
    path.write_bytes(b"")
    watched.sync()
    assert (watched.sources, list(watched.reasons)) == ([], ["dome.md"])
    path.unlink()
    watched.sync()
    assert watched.reasons == {}


def test_too_large_file_is_not_read_until_the_limit_is_raised(settings: Settings, folder: Path) -> None:
    (folder / "large.md").write_text(DOME * 100)
    with watching(settings.model_copy(update={"max_file_bytes": 1000}), folder) as watched:
        watched.sync()
        watched.write("other.md", OTTER)
        watched.sync()
        (failure,) = watched.knowledge_base.failures()
        assert ("the limit is 1,000" in failure.reason, failure.attempts) == (True, 1)
    with watching(settings, folder) as watched:
        watched.sync()
        assert (watched.reasons, watched.sources) == ({}, ["large.md", "other.md"])


def test_file_without_permission_is_listed_and_read_once_it_may_be(watched: Watched) -> None:
    watched.write("otter.md", OTTER)
    path = watched.write("dome.md", DOME)
    take_permission(path)
    watched.sync()
    assert watched.sources == ["otter.md"]
    assert "Permission denied" in watched.reasons["dome.md"]
    path.chmod(0o600)
    assert eventually(lambda: watched.finds("dome") == ["dome.md"])


def test_file_whose_name_is_no_text_is_listed_and_stops_nothing(watched: Watched) -> None:
    watched.write(os.fsdecode(b"caf\xe9.md"), OTTER)
    watched.write(os.fsdecode(b"b\xfccher/otter.md"), OTTER)
    watched.write("dome.md", DOME)
    watched.sync()
    assert watched.sources == ["dome.md"]
    assert set(watched.reasons.values()) == {"its name is not valid UTF-8"}
    (watched.folder / os.fsdecode(b"caf\xe9.md")).rename(watched.folder / "café.md")
    watched.sync()
    assert watched.sources == ["café.md", "dome.md"]
    assert len(watched.reasons) == 1


def test_file_with_a_time_beyond_all_calendars_stops_nothing(watched: Watched) -> None:
    os.utime(watched.write("dome.md", DOME), (10**12, 10**12))
    watched.write("loop.md", OTTER).unlink()
    (watched.folder / "loop.md").symlink_to("loop.md")
    watched.sync()
    assert watched.sources == ["dome.md"]


def test_changes_made_while_it_was_down_are_found(settings: Settings, folder: Path) -> None:
    for name in ("edited.md", "gone.md", "moved.md"):
        (folder / name).write_text(f"# {name}\n\nThe file was {name} then.\n")
    with watching(settings, folder) as watched:
        watched.sync()
    (folder / "edited.md").write_text(DOME)
    (folder / "gone.md").unlink()
    (folder / "moved.md").rename(folder / "elsewhere.md")
    (folder / "new.md").write_text(OTTER)
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == ["edited.md", "elsewhere.md", "new.md"]
        assert watched.finds("second dome") == ["edited.md"]
        assert not [text for text in watched.embedder.embedded if "moved" in text]


def test_unchanged_files_are_not_read_again_at_the_next_start(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder) as watched:
        watched.sync()
        (before,) = watched.knowledge_base.documents()
    os.utime(folder / "dome.md")  # a new time alone is noted, and no more
    with watching(settings, folder) as watched:
        watched.sync()
        (after,) = watched.knowledge_base.documents()
        assert after.indexed_at == before.indexed_at
        assert watched.embedder.embedded == []


def test_file_deleted_during_a_long_run_stops_answering_before_its_end(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder, embedder=SlowEmbedder(0.2)) as watched:
        watched.sync()
        for number in range(25):
            watched.write(f"otter-{number:02}.md", f"# Otter {number}\n\nOtter {number} floats.\n")
        assert eventually(lambda: len(watched.sources) > 2)
        (watched.folder / "dome.md").unlink()
        assert eventually(lambda: watched.finds("dome") == [], 8)
        assert len(watched.sources) < 25
        assert watched.knowledge_base.index_state().pending > 0


def test_documents_of_a_folder_that_vanishes_stay_until_it_is_back(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("dome.md", DOME)
        watched.sync()
        away = folder.with_name("away")
        folder.rename(away)
        watched.sync()
        assert watched.pipeline.status.folders == ((folder, False),)
        assert watched.finds("dome") == ["dome.md"]
        (away / "otter.md").write_text(OTTER)
        shutil.copytree(away, folder)  # another folder of the same name, as a drive that is mounted again
        watched.sync()
        assert watched.pipeline.status.folders == ((folder, True),)
        assert watched.sources == ["dome.md", "otter.md"]
        watched.write("later.md", "# Later\n\nEvents of the folder that came back.\n")
        assert eventually(lambda: watched.finds("came back") == ["later.md"])


def test_folder_that_is_not_there_at_the_start_is_reported_and_does_no_harm(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    with watching(settings, folder, tmp_path / "usb") as watched:
        assert watched.pipeline.status.folders == ((folder, True), (tmp_path / "usb", False))
        watched.write("dome.md", DOME)
        watched.sync()
        assert watched.sources == ["dome.md"]


def test_documents_of_a_folder_that_is_no_longer_watched_go(settings: Settings, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes"
    other.mkdir()
    (folder / "dome.md").write_text(DOME)
    (other / "otter.md").write_text(OTTER)
    with watching(settings, folder, other) as watched:
        watched.sync()
        assert len(watched.knowledge_base.documents()) == 2
    with watching(settings, other) as watched:
        watched.sync()
        assert watched.sources == ["otter.md"]


def test_watching_the_parent_instead_embeds_nothing_again(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder) as watched:
        watched.sync()
    with watching(settings, folder.parent, folder) as watched:
        watched.sync()
        assert (watched.sources, watched.embedder.embedded) == (["papers/dome.md"], [])


def test_sync_waits_until_all_is_done(settings: Settings, folder: Path) -> None:
    for number in range(6):
        (folder / f"{number}.md").write_text(f"# Number {number}\n\nText {number}.\n")
    with watching(settings, folder, embedder=SlowEmbedder(0.1)) as watched:
        watched.sync()
        assert len(watched.sources) == 6
        assert watched.knowledge_base.index_state().pending == 0
        assert watched.knowledge_base.index_state().last_sync is not None


def test_several_can_wait_for_the_same_sync(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    results: list[bool] = []
    waiting = [threading.Thread(target=lambda: results.append(watched.pipeline.sync(15))) for _ in range(4)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert results == [True] * 4
    assert watched.sources == ["dome.md"]


def test_sync_gives_up_after_its_time(settings: Settings, folder: Path) -> None:
    with watching(settings.model_copy(update={"settle_seconds": 20.0}), folder) as watched:
        watched.write("dome.md", DOME)
        assert not watched.pipeline.sync(0.5)
        assert watched.pipeline.status.pending == ("dome.md",)


def test_full_disk_ends_the_run_is_told_and_overcome(settings: Settings, folder: Path) -> None:
    index = FailingIndex()
    index.full = True
    with watching(settings, folder, index=index) as watched:
        watched.write("dome.md", DOME)
        with pytest.raises(StorageError, match="disk is full"):
            watched.pipeline.sync(15)
        error = watched.pipeline.status.error
        assert error is not None
        assert error.hint == "free some space"
        assert watched.reasons == {}, "it is not the file's fault"
        index.full = False
        watched.sync()
        assert (watched.sources, watched.pipeline.status.error) == (["dome.md"], None)


def test_error_that_nobody_foresaw_is_noted_beside_the_file_and_the_others_go_on(
    settings: Settings, folder: Path
) -> None:
    index = FailingIndex()
    with watching(settings, folder, index=index) as watched:
        watched.sync()
        index.unforeseen = ZeroDivisionError("division by zero")
        watched.write("a.md", DOME)
        watched.sync()
        assert watched.reasons == {"a.md": "an unexpected error: ZeroDivisionError: division by zero"}
        index.unforeseen = None
        watched.write("b.md", OTTER)
        watched.sync()
        assert watched.sources == ["b.md"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_ever_if_the_writer_itself_breaks(settings: Settings, folder: Path) -> None:
    index = FailingIndex()
    with watching(settings, folder, index=index) as watched:
        path = watched.write("a.md", DOME)
        watched.sync()
        index.unforeseen = ZeroDivisionError("while a document is removed")
        path.unlink()
        for _ in range(2):
            with pytest.raises(KBError, match="ended unexpectedly"):
                watched.pipeline.sync(15)
        assert watched.pipeline.status.error is not None


def test_stop_does_not_wait_for_a_long_document(settings: Settings, folder: Path) -> None:
    with watching(settings, folder, embedder=SlowEmbedder(0.3)) as watched:
        watched.write("long.md", "\n\n".join(f"# Chapter {n}\n\nText of chapter {n}.\n" for n in range(1000)))
        assert eventually(lambda: watched.embedder.embedded)
        began = time.monotonic()
        watched.pipeline.stop()
        assert time.monotonic() - began < 1.5
        assert (watched.sources, watched.reasons) == ([], {})
        assert not watched.pipeline.sync(1)


def test_what_a_stop_interrupted_is_taken_up_where_it_was(settings: Settings, folder: Path) -> None:
    (folder / "long.md").write_text("\n\n".join(f"# Chapter {n}\n\nText of chapter {n}.\n" for n in range(300)))
    with watching(settings, folder, embedder=SlowEmbedder(0.3)) as watched:
        assert eventually(lambda: len(watched.embedder.embedded) > 64)
        first = set(watched.embedder.embedded)
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == ["long.md"]
        assert len(first.intersection(watched.embedder.embedded)) <= 64, "only the batch that was cut off"


def test_hints_during_a_scan_are_not_lost(watched: Watched) -> None:
    for number in range(12):
        watched.write(f"{number}.txt", f"File number {number} of several.")
        time.sleep(0.05)
    assert eventually(lambda: len(watched.sources) == 12)
