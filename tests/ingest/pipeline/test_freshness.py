"""Which files are no more what they were when they were indexed."""

import datetime
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.folders.listing import stat_file
from ingest.folders.opening import hash_file
from ingest.pipeline.freshness import FolderFreshness
from kb.values.documents import DocumentInfo, WatchedFolder
from tests.harness import take_permission

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
OTTER = "# Otters\n\nOtters sleep while they float.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    return folder


@pytest.fixture
def documents(folder: Path) -> list[DocumentInfo]:
    """What the catalog holds of two files that were just indexed."""
    (folder / "dome.md").write_text(DOME)
    (folder / "otter.md").write_text(OTTER)
    return [document(folder, name) for name in ("dome.md", "otter.md")]


def document(folder: Path, name: str) -> DocumentInfo:
    file = stat_file(folder, folder / name)
    assert file is not None
    file = replace(file, sha256=hash_file(folder, name, file.size_bytes))
    return DocumentInfo(name, file, name, "text/markdown", (), None, None, 50, 1, datetime.datetime.now(datetime.UTC))


def drifted(documents: Sequence[DocumentInfo], *folders: WatchedFolder) -> list[str]:
    freshness = FolderFreshness(lambda: folders, lambda places, seconds: None)
    return [document.file.source for document in freshness.drifted(documents)]


def test_files_that_nobody_touched_have_not_drifted(documents: list[DocumentInfo]) -> None:
    assert drifted(documents) == []


def test_edited_and_deleted_files_have_drifted(folder: Path, documents: list[DocumentInfo]) -> None:
    (folder / "dome.md").write_text(DOME.replace("March", "April"))  # of the same length
    assert drifted(documents) == ["dome.md"]
    (folder / "otter.md").unlink()
    assert drifted(documents) == ["dome.md", "otter.md"]


def test_edit_that_keeps_length_and_modification_time_is_noticed(folder: Path, documents: list[DocumentInfo]) -> None:
    before = (folder / "dome.md").stat()
    (folder / "dome.md").write_text(DOME.replace("March", "April"))
    os.utime(folder / "dome.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert drifted(documents) == ["dome.md"]


def test_file_that_was_only_touched_or_saved_as_it_was_has_not_drifted(
    folder: Path, documents: list[DocumentInfo]
) -> None:
    (folder / "dome.md").touch()
    (folder / "otter.md").write_text(OTTER)
    assert drifted(documents) == []


def test_folder_in_the_place_of_a_file_has_drifted(folder: Path, documents: list[DocumentInfo]) -> None:
    (folder / "dome.md").unlink()
    (folder / "dome.md").mkdir()
    assert drifted(documents) == ["dome.md"]


def test_file_that_may_not_be_read_any_more_has_drifted(folder: Path, documents: list[DocumentInfo]) -> None:
    take_permission(folder / "dome.md")
    assert drifted(documents) == ["dome.md"]


def test_nothing_is_known_of_a_folder_that_cannot_be_searched(folder: Path, documents: list[DocumentInfo]) -> None:
    take_permission(folder)
    try:
        assert drifted(documents) == []
    finally:
        folder.chmod(0o755)


def test_nothing_is_known_of_a_folder_that_is_away(folder: Path, documents: list[DocumentInfo]) -> None:
    folder.rename(folder.with_name("away"))
    assert drifted(documents) == []


def test_empty_folder_on_another_device_is_where_a_drive_was_mounted(
    folder: Path, documents: list[DocumentInfo]
) -> None:
    both = ["dome.md", "otter.md"]
    for name in both:
        (folder / name).unlink()
    here = folder.stat().st_dev
    assert drifted(documents, WatchedFolder(str(folder), here + 1)) == []
    assert drifted(documents, WatchedFolder(str(folder), here)) == both
    assert drifted(documents, WatchedFolder(str(folder))) == both
    (folder / ".hidden").touch()
    assert drifted(documents, WatchedFolder(str(folder), here + 1)) == both
