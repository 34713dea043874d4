from dataclasses import replace
from pathlib import Path

import pytest

from ingest.folders.survey import Survey, survey
from kb.values.documents import WatchedFolder
from tests.harness import take_permission


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.md").write_text("A")
    return folder


def look(*folders: WatchedFolder, documents: bool = True) -> Survey:
    return survey(folders, lambda _: documents)


def test_all_folders_are_seen_together(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("B")
    for parent in (folder, other):
        (parent / "c.doc").write_text("C")
    found = look(WatchedFolder(str(folder)), WatchedFolder(str(other)))
    assert [file.source for file in found.files] == ["a.md", "b.md"]
    assert found.unsupported == {".doc": 2}
    assert not found.hidden


def test_the_drive_of_a_folder_is_remembered(folder: Path) -> None:
    found = look(WatchedFolder(str(folder)))
    assert found.folders == (WatchedFolder(str(folder), folder.stat().st_dev),)


def test_folder_that_is_not_there_is_hidden_as_a_whole_and_its_drive_not_forgotten(tmp_path: Path) -> None:
    away = WatchedFolder(str(tmp_path / "usb"), 7)
    found = look(away)
    assert (found.unreachable, found.hidden, found.folders) == ({away.root}, {(away.root, "")}, (away,))


def test_empty_folder_on_another_drive_is_a_drive_that_is_away(folder: Path) -> None:
    (folder / "a.md").unlink()
    known = WatchedFolder(str(folder), folder.stat().st_dev + 1)
    assert look(known).unreachable == {known.root}
    assert look(known).folders == (known,)


def test_empty_folder_is_believed_on_the_same_drive_or_where_nothing_was_indexed(folder: Path) -> None:
    (folder / "a.md").unlink()
    same = WatchedFolder(str(folder), folder.stat().st_dev)
    assert not look(same).hidden
    assert not look(replace(same, device=None)).hidden
    assert not look(replace(same, device=0), documents=False).hidden


def test_folder_inside_that_cannot_be_read_is_told_and_hidden(folder: Path) -> None:
    private = folder / "private"
    private.mkdir()
    take_permission(private)
    try:
        found = look(WatchedFolder(str(folder)))
    finally:
        private.chmod(0o755)
    place = (str(folder), "private/")
    assert place in found.hidden
    assert "ermission" in found.troubles[place].reason
    assert not found.unreachable


def test_broken_rule_is_told_and_hides_nothing(folder: Path) -> None:
    (folder / ".kbignore").write_bytes(b"\x80\x81" + b"x" * 2_000_000)
    found = look(WatchedFolder(str(folder)))
    assert list(found.troubles) == [(str(folder), ".kbignore")]
    assert not found.hidden


def test_what_the_service_has_written_into_a_watched_folder_is_not_read(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    for name in ("lock", "catalog.sqlite3", "server.json", "in_hand.json", "thesis.md"):
        (home / name).write_text("{}")
    assert [file.source for file in look(WatchedFolder(str(folder))).files] == ["a.md", "home/thesis.md"]
