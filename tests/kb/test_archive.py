"""A library goes into one file and comes out of it the same, or not at all."""

import errno
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb import archive
from kb.archive import MANIFEST_NAME, Manifest, export_library, import_library
from kb.catalog.migrations import SCHEMA_VERSION
from kb.data_directory import CATALOG_NAME, DataDirectoryLock
from kb.errors import DataDirectoryLocked, InvalidRequest, KBError, NotFound, SchemaMismatch, StorageError
from kb.knowledge_base import KnowledgeBase
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, quick_settings, watching

TEXTS = {"lease.md": "# Lease\n\nThe rent is 840 euros.", "灯塔.md": "# 灯塔\n\n灯塔高三十一米。", "broken.pdf": "%PDF"}


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / "papers" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "papers" / name).write_text(text, "utf-8")
    return tmp_path / "papers"


@pytest.fixture
def home(tmp_path: Path, papers: Path) -> Path:
    settings = quick_settings(tmp_path / "home")
    with watching(settings, papers) as watched:
        watched.sync()
        assert (len(watched.documents), len(watched.failures)) == (2, 1)
    (settings.home / "kb.toml").write_text("top_k = 5\n")
    return settings.home


@pytest.fixture
def packed(home: Path, tmp_path: Path) -> Path:
    export_library(home, tmp_path / "library.kbz")
    return tmp_path / "library.kbz"


def content(knowledge_base: KnowledgeBase) -> list[object]:
    knowledge_base.wait_for_index()
    documents = [(each, knowledge_base.text(each.id)) for each in knowledge_base.documents()]
    return [documents, knowledge_base.failures(), knowledge_base.search("How high is the rent?")]


def rewritten(packed: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """An archive with another manifest."""
    other = packed.with_name("other.kbz")
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == MANIFEST_NAME:
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest).encode()
            target.writestr(name, data)
    return other


def test_what_comes_out_is_what_went_in_and_nothing_is_embedded(home: Path, tmp_path: Path) -> None:
    with open_fake_knowledge_base(quick_settings(home)) as before:
        was = content(before)
        manifest = export_library(home, tmp_path / "library.kbz")  # while it is open
    assert (manifest.documents, manifest.schema) == (2, SCHEMA_VERSION)
    assert (tmp_path / "library.kbz").stat().st_mode & 0o077 == 0
    assert import_library(tmp_path / "library.kbz", tmp_path / "new") == manifest
    assert (tmp_path / "new" / "kb.toml").read_text() == "top_k = 5\n"
    embedder = FakeEmbedder()
    with open_fake_knowledge_base(quick_settings(tmp_path / "new"), embedder=embedder) as after:
        assert content(after) == was
    assert embedder.embedded == []


def test_folder_that_is_elsewhere_now_is_followed_there_and_nothing_is_read_anew(
    packed: Path, papers: Path, tmp_path: Path
) -> None:
    moved = papers.rename(tmp_path / "moved")
    import_library(packed, tmp_path / "new", {str(papers): str(moved)})
    embedder = FakeEmbedder()
    with watching(quick_settings(tmp_path / "new"), moved, embedder=embedder) as watched:
        ids = {document.id for document in watched.knowledge_base.documents()}
        watched.sync()
        assert {document.id for document in watched.knowledge_base.documents()} == ids
        assert watched.sources == ["lease.md", "灯塔.md"]
    assert embedder.embedded == []


def test_folder_that_is_not_in_it_is_told_and_nothing_is_made(packed: Path, papers: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder /elsewhere") as raised:
        import_library(packed, tmp_path / "new", {"/elsewhere": "/new"})
    assert str(papers) in raised.value.hint
    assert not (tmp_path / "new" / CATALOG_NAME).exists()


def test_interrupted_import_goes_on_where_it_was(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[str] = []
    copy = archive._copy

    def interrupted(source: Any, target: Any, size: int, name: str, report: Any) -> str:
        unpacked.append(name)
        if name == "kb.toml" and unpacked.count(name) == 1:
            raise KeyboardInterrupt
        return copy(source, target, size, name, report)

    monkeypatch.setattr(archive, "_copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_library(packed, tmp_path / "new")
    assert not (tmp_path / "new" / CATALOG_NAME).exists()
    import_library(packed, tmp_path / "new")
    assert unpacked == [CATALOG_NAME, "kb.toml", "kb.toml"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {CATALOG_NAME, "kb.toml", "lock"}


def test_full_disk_leaves_nothing_half_written(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(StorageError, match="No space left"):
        export_library(home, tmp_path / "library.kbz")
    assert not list(tmp_path.glob("*library*"))


def test_damaged_archive_is_refused(packed: Path, tmp_path: Path) -> None:
    other = rewritten(packed, lambda manifest: manifest["members"].update({CATALOG_NAME: "0" * 64}))
    with pytest.raises(InvalidRequest, match="damaged"):
        import_library(other, tmp_path / "new")
    assert not (tmp_path / "new" / CATALOG_NAME).exists()
    cut = tmp_path / "cut.kbz"
    cut.write_bytes(packed.read_bytes()[:-100])
    with pytest.raises(InvalidRequest, match="no library, or damaged"):
        import_library(cut, tmp_path / "new")


@pytest.mark.parametrize("change", [{"schema": SCHEMA_VERSION + 1}, {"format": 2}])
def test_archive_of_a_newer_version_is_refused(packed: Path, tmp_path: Path, change: dict[str, int]) -> None:
    with pytest.raises(SchemaMismatch, match="newer r1-kb"):
        import_library(rewritten(packed, lambda manifest: manifest.update(change)), tmp_path / "new")


def test_archive_cannot_name_a_place_outside(packed: Path, tmp_path: Path) -> None:
    other = rewritten(packed, lambda manifest: manifest["members"].update({"../evil": "0"}))
    with pytest.raises(InvalidRequest, match="no library"):
        import_library(other, tmp_path / "new")
    assert not (tmp_path / "evil").exists()


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("notes.md", "# Notes")
    for name, error in (("notes.md", InvalidRequest), ("other.zip", InvalidRequest), ("none.kbz", NotFound)):
        with pytest.raises(error):
            import_library(tmp_path / name, tmp_path / "new")


def refused(error: type[KBError], work: Callable[[], Manifest]) -> None:
    with pytest.raises(error):
        work()


def test_nothing_is_overwritten(packed: Path, home: Path, tmp_path: Path) -> None:
    was = packed.read_bytes()
    refused(InvalidRequest, lambda: export_library(home, packed))
    refused(InvalidRequest, lambda: import_library(packed, home))
    refused(NotFound, lambda: export_library(tmp_path / "nowhere", tmp_path / "other.kbz"))
    lock = DataDirectoryLock(tmp_path / "new")
    refused(DataDirectoryLocked, lambda: import_library(packed, tmp_path / "new"))
    lock.release()
    assert packed.read_bytes() == was
