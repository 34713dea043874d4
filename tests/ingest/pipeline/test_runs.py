"""A run over many files: waited for, cut off, and ended by what no file is to blame for."""

import threading
import time
import traceback
from pathlib import Path

import pytest

from kb.errors import KBError, StorageError, VectorIndexError
from kb.settings import Settings
from tests.harness import Watched, eventually, watching
from tests.ingest.pipeline.parts import DOME, FailingIndex, SlowEmbedder


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


def test_index_that_has_failed_is_made_anew_before_the_files_that_wait(settings: Settings, folder: Path) -> None:
    index = FailingIndex()
    with watching(settings, folder, index=index) as watched:
        watched.write("otter.md", "# Otter\n\nOtters float.\n")
        watched.sync()
        index.broken = True
        watched.write("dome.md", DOME)
        with pytest.raises(VectorIndexError, match="compaction"):
            watched.pipeline.sync(15)
        assert watched.finds("otters float") == ["otter.md"]
        watched.sync()
        assert (watched.sources, watched.finds("second dome")) == (["dome.md", "otter.md"], ["dome.md"])


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


def test_error_of_a_run_is_told_anew_to_each_who_asks(settings: Settings, folder: Path) -> None:
    index = FailingIndex()
    index.full = True
    with watching(settings, folder, index=index) as watched:
        watched.write("dome.md", DOME)
        raised = []
        for _ in range(2):
            with pytest.raises(StorageError, match="disk is full") as caught:
                watched.pipeline.sync(15)
            raised.append(caught.value)
        assert raised[0] is not raised[1]
        lengths = [len(list(traceback.walk_tb(error.__traceback__))) for error in raised]
        assert lengths == [4, 4], "no frames of the run itself, nor of who asked before"
