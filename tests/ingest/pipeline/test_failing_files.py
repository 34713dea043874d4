"""Files that cannot be indexed are listed, and stop nothing."""

import os
from pathlib import Path

from kb.settings import Settings
from tests.harness import Watched, eventually, take_permission, watching
from tests.ingest.pipeline.parts import DOME, OTTER, FailingIndex


def test_broken_empty_and_wordless_files_are_listed_with_a_reason(watched: Watched) -> None:
    watched.write("broken.pdf", b"%PDF-1.7 and no more")
    watched.write("empty.md", "")
    watched.write("empty.pdf", b"")
    watched.write("picture.zip", b"\x89PNG")
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
