import hashlib
import os
import socket
from pathlib import Path

import pytest

from ingest.folders import UNREADABLE_CHARACTER, hash_file, is_reachable, list_files, outermost, readable, stat_file
from kb.errors import UnreadableFile
from kb.types import FileVersion
from tests.harness import take_permission


def write(path: Path, content: bytes = b"text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def sources(root: Path) -> list[str]:
    return [file.source for file in list_files(root)]


def test_files_that_have_a_loader_are_listed_with_size_and_time(tmp_path: Path) -> None:
    write(tmp_path / "b.PDF")
    os.utime(write(tmp_path / "sub" / "a.md", b"12345"), ns=(0, 1_700_000_000_123_456_789))
    write(tmp_path / "sub" / "picture.png")
    assert sources(tmp_path) == ["b.PDF", "sub/a.md"]
    assert list_files(tmp_path)[1] == FileVersion(str(tmp_path), "sub/a.md", 5, 1_700_000_000_123_456_789)


def test_hidden_files_and_all_in_hidden_folders_are_passed_over(tmp_path: Path) -> None:
    for name in (".draft.md", ".git/readme.md", "notes/.obsidian/plugin.md", "notes/kept.md"):
        write(tmp_path / name)
    assert sources(tmp_path) == ["notes/kept.md"]


def test_what_is_named_like_a_document_but_is_no_file_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    (tmp_path / "folder.md").mkdir()
    os.mkfifo("pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        assert sources(tmp_path) == []


def test_links_are_followed_to_files_inside_and_not_outside(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", write(tmp_path / "outside" / "secret.md")
    write(root / "real.md")
    (root / "inside.md").symlink_to("real.md")
    (root / "outside.md").symlink_to(outside)
    (root / "dangling.md").symlink_to("nothing.md")
    (root / "loop.md").symlink_to("loop.md")
    (root / "folder").symlink_to(outside.parent)
    (root / "up").symlink_to("..")
    assert sources(root) == ["inside.md", "real.md"]


def test_root_that_is_reached_through_a_link_still_has_its_inner_links(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.md")
    (tmp_path / "real" / "b.md").symlink_to("a.md")
    (tmp_path / "link").symlink_to("real")
    assert sources(tmp_path / "link") == ["a.md", "b.md"]


def test_folder_that_cannot_be_read_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    write(tmp_path / "file.md")
    for path in (tmp_path / "missing", tmp_path / "file.md"):
        assert not is_reachable(path)
        with pytest.raises(OSError, match=path.name):
            list_files(path)
    assert is_reachable(tmp_path)


def test_name_that_is_no_text_is_listed_in_a_form_that_can_be_shown(tmp_path: Path) -> None:
    write(tmp_path / os.fsdecode(b"caf\xe9.md"))
    (source,) = sources(tmp_path)
    assert source == f"caf{UNREADABLE_CHARACTER}.md"
    source.encode()


def test_names_that_are_text_stay_what_they_are() -> None:
    for name in ("手册.md", "e\N{COMBINING ACUTE ACCENT}.md", "\N{GRINNING FACE}\N{IDEOGRAPHIC SPACE}\t\n.md", ""):
        assert readable(name) == name


def test_time_beyond_the_catalog_is_the_last_that_it_can_hold(tmp_path: Path) -> None:
    year_2400 = 13_569_465_600
    path = write(tmp_path / "a.md")
    os.utime(path, (year_2400, year_2400))
    if path.stat().st_mtime != year_2400:
        pytest.skip("the file system has no such times")
    (file,) = list_files(tmp_path)
    assert file.modified_ns == 2**63 - 1


def test_file_that_is_gone_has_no_state(tmp_path: Path) -> None:
    assert stat_file(tmp_path, tmp_path / "gone.md") is None


def test_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    assert hash_file(write(tmp_path / "a.md", content)) == hashlib.sha256(content).hexdigest()


def test_file_that_cannot_be_hashed_has_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        hash_file(tmp_path / "gone.md")
    take_permission(write(tmp_path / "a.md"))
    with pytest.raises(UnreadableFile, match="Permission denied"):
        hash_file(tmp_path / "a.md")


def test_outermost_folders_keep_the_order_in_which_they_were_given() -> None:
    given = [Path("/home/z"), Path("/home/ada/notes/old"), Path("/home/ada/notes"), Path("/home/b"), Path("/home/z")]
    assert outermost(given) == (Path("/home/z"), Path("/home/ada/notes"), Path("/home/b"))
    assert outermost([Path("/home/ada"), Path("/home/adamant")]) == (Path("/home/ada"), Path("/home/adamant"))
