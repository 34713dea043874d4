import io
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.folders.intake import clean_name, place, remove_leftovers
from ingest.folders.listing import list_files, readable
from kb.errors import InvalidRequest, StorageError, UnsupportedType


def content(text: bytes = b"text") -> BinaryIO:
    return io.BytesIO(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_placed_under_its_name_with_its_content(tmp_path: Path) -> None:
    placed = place(tmp_path, "手册 2026.md", content(b"# Manual"))
    assert placed == tmp_path / "手册 2026.md"
    assert placed.read_bytes() == b"# Manual"
    assert names(tmp_path) == ["手册 2026.md"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_who_may_read_a_placed_file_follows_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        assert place(tmp_path, "a.md", content()).stat().st_mode & 0o777 == 0o666 & ~mask
    finally:
        os.umask(before)


def test_what_a_killed_process_has_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from ingest.folders.intake import place\n"
        "class Breaks:\n"
        "    def read(self, size=-1): os._exit(9)\n"
        "place(Path(sys.argv[1]), 'a.md', Breaks())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=Path(__file__).parents[3])
    (left,) = names(tmp_path)
    assert left.startswith(".incoming-")
    others = {".incoming-notes.md", ".incoming-1", ".incoming-abcdefgh", "a.md"}
    for name in others - {".incoming-abcdefgh"}:
        (tmp_path / name).touch()
    (tmp_path / ".incoming-abcdefgh").mkdir()
    remove_leftovers(tmp_path)
    assert set(names(tmp_path)) == others
    remove_leftovers(tmp_path / "gone")


def test_what_is_being_written_is_not_taken_for_left_behind(tmp_path: Path) -> None:
    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            remove_leftovers(tmp_path)
            return super().read(size)

    assert place(tmp_path, "a.md", Watched(b"text")).read_bytes() == b"text"


def test_other_file_of_the_same_name_is_kept_and_the_new_one_numbered(tmp_path: Path) -> None:
    place(tmp_path, "a.md", content(b"one"))
    assert place(tmp_path, "a.md", content(b"two")).name == "a (2).md"
    assert place(tmp_path, "a.md", content(b"three")).name == "a (3).md"
    assert [(tmp_path / name).read_bytes() for name in names(tmp_path)] == [b"two", b"three", b"one"]


def test_same_file_again_changes_nothing(tmp_path: Path) -> None:
    first = place(tmp_path, "a.md", content())
    os.utime(first, ns=(0, 1))
    assert place(tmp_path, "a.md", content()) == first
    assert names(tmp_path) == ["a.md"]
    assert first.stat().st_mtime_ns == 1


def test_same_file_is_found_again_under_its_number(tmp_path: Path) -> None:
    place(tmp_path, "a.md", content(b"one"))
    second = place(tmp_path, "a.md", content(b"two"))
    assert place(tmp_path, "a.md", content(b"two")) == second


@pytest.mark.parametrize("occupied_by", ["folder", "dangling link", "link outside"])
def test_whatever_has_the_name_already_is_left_alone(tmp_path: Path, occupied_by: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside.md"
    root.mkdir()
    outside.write_bytes(b"precious")
    match occupied_by:
        case "folder":
            (root / "a.md").mkdir()
        case "dangling link":
            (root / "a.md").symlink_to(tmp_path / "nothing.md")
        case "link outside":
            (root / "a.md").symlink_to(outside)
    assert place(root, "a.md", content(b"new")).name == "a (2).md"
    assert outside.read_bytes() == b"precious"
    assert not (tmp_path / "nothing.md").exists()


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("../../etc/passwd.md", "passwd.md"),
        ("/etc/cron.d/job.txt", "job.txt"),
        ("..\\..\\windows\\notes.md", "notes.md"),
        ("C:\\Users\\ada\\notes.md", "notes.md"),
        ("C:notes.md", "C_notes.md"),
        ("...hidden.md", "hidden.md"),
        (".hidden.md", "hidden.md"),
        ("  spaces  .md", "spaces.md"),
        ('what? "this" <is> a|b*.md', "what_ _this_ _is_ a_b_.md"),
        ("folder/", "folder"),
        ("report.PDF", "report.PDF"),
        (os.fsdecode(b"caf\xe9.md"), "caf_.md"),
    ],
)
def test_names_are_made_harmless(given_name: str, expected: str) -> None:
    assert clean_name(given_name) == expected


@pytest.mark.parametrize("name", ["", ".", "..", "/", "...", " . ", "a/.."])
def test_name_of_which_nothing_is_left_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="no name for a file"):
        place(tmp_path, name, content())
    assert names(tmp_path) == []


def test_very_long_name_is_cut_between_characters_and_still_numbered(tmp_path: Path) -> None:
    for number, text in enumerate((b"one", b"two")):
        placed = place(tmp_path, "很长的名字" * 100 + ".md", content(text))
        assert placed.name.startswith("很长的名字")
        assert placed.name.endswith(".md" if number == 0 else " (2).md")
        assert len(placed.name.encode()) <= 255


@pytest.mark.parametrize("char", ["\n", "\0", "\x1b", "\x7f", "\x9b", "\u200e", "\u202e", "\u2028", "\u2066", "\ufeff"])
def test_name_with_characters_that_cannot_be_seen_is_refused(tmp_path: Path, char: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        place(tmp_path, f"a{char}b.md", content())
    assert char not in caught.value.message
    assert caught.value.hint == "rename the file"
    assert names(tmp_path) == []
    assert clean_name("می\u200cخواهم \U0001f468\u200d\U0001f469\u3000.md")


@given(st.text())
def test_cleaned_name_is_one_visible_name_in_the_folder(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except InvalidRequest:
        return
    assert Path("/folder", cleaned).parent == Path("/folder")
    assert not cleaned.startswith((".", " "))
    assert cleaned == readable(cleaned)
    assert "\x00" not in cleaned


@pytest.mark.parametrize("name", ["virus.exe", "letter.doc", "noextension", "md", ".md", "archive.md.zip"])
def test_type_that_cannot_be_read_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsupportedType):
        place(tmp_path, name, content())
    assert names(tmp_path) == []


def test_folder_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        place(tmp_path / "usb", "a.md", content())
    assert names(tmp_path) == []


def test_nothing_is_left_behind_when_the_content_breaks_off(tmp_path: Path) -> None:
    class BreaksOff(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError):
        place(tmp_path, "a.md", BreaksOff())
    assert names(tmp_path) == []


def test_no_scan_sees_a_file_before_it_is_whole(tmp_path: Path) -> None:
    seen: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.extend(file.size_bytes for file in list_files(tmp_path).files)
            return super().read(size)

    place(tmp_path, "a.md", Watched(b"x" * 5_000_000))
    assert seen == []
    assert [file.size_bytes for file in list_files(tmp_path).files] == [5_000_000]


def test_many_at_once_with_one_name_all_find_a_place(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def upload(number: int) -> Path:
        together.wait()
        return place(tmp_path, "a.md", content(b"%d" % number * 1000))

    with ThreadPoolExecutor(8) as pool:
        placed = list(pool.map(upload, range(8)))
    assert len(set(placed)) == 8
    assert {path.read_bytes() for path in placed} == {b"%d" % number * 1000 for number in range(8)}
