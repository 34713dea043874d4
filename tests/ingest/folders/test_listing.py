import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.folders.listing import (
    UNREADABLE_CHARACTER,
    is_reachable,
    list_files,
    outermost,
    readable,
    stat_file,
)
from kb.values.documents import FileVersion
from tests.harness import take_permission


def write(path: Path, content: bytes = b"text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def sources(root: Path) -> list[str]:
    return [file.source for file in list_files(root).files]


@contextmanager
def permissions(path: Path, mode: int) -> Iterator[None]:
    """Gives a file or folder other permissions for a while; skips the test for a user who needs none."""
    usual = path.stat().st_mode
    path.chmod(mode)
    try:
        if os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)):
            pytest.skip("this user may do everything")
        yield
    finally:
        path.chmod(usual)


def test_files_that_have_a_loader_are_listed_with_size_and_time(tmp_path: Path) -> None:
    write(tmp_path / "b.PDF")
    os.utime(write(tmp_path / "sub" / "a.md", b"12345"), ns=(0, 1_700_000_000_123_456_789))
    write(tmp_path / "sub" / "picture.zip")
    assert sources(tmp_path) == ["b.PDF", "sub/a.md"]
    changed_ns = (tmp_path / "sub" / "a.md").stat().st_ctime_ns
    assert list_files(tmp_path).files[1] == FileVersion(
        str(tmp_path), "sub/a.md", 5, 1_700_000_000_123_456_789, changed_ns=changed_ns
    )
    assert stat_file(tmp_path, tmp_path / "sub" / "a.md") == list_files(tmp_path).files[1]


def test_writing_that_hides_behind_the_old_time_shows_in_the_time_of_change(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", b"one")
    (before,) = list_files(tmp_path).files
    time.sleep(0.02)  # the clock of file systems ticks every few milliseconds
    os.utime(write(path, b"two"), ns=(0, before.modified_ns))
    (after,) = list_files(tmp_path).files
    assert after.modified_ns == before.modified_ns
    assert after.changed_ns > before.changed_ns


def test_files_without_a_loader_are_counted_by_extension(tmp_path: Path) -> None:
    for name in ("a.zip", "b.ZIP", "sub/c.tar.gz", "Makefile", "sub/end.", ".hidden.zip", ".git/d.zip", "no/e.zip"):
        write(tmp_path / name)
    write(tmp_path / ".kbignore", b"no/")
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "link.zip").symlink_to("a.zip")
    (tmp_path / "outside.zip").symlink_to("/etc/hostname")
    write(tmp_path / os.fsdecode(b"a.caf\xe9"))
    listing = list_files(tmp_path)
    assert listing.unsupported == {".zip": 3, ".gz": 1, "": 2, f".caf{UNREADABLE_CHARACTER}": 1}
    assert not listing.files


def test_empty_means_nothing_at_all(tmp_path: Path) -> None:
    assert list_files(tmp_path).empty
    write(tmp_path / ".hidden")
    listing = list_files(tmp_path)
    assert (listing.empty, listing.files, listing.unsupported, listing.troubles) == (False, (), {}, ())


def test_device_is_that_of_the_folder(tmp_path: Path) -> None:
    assert list_files(tmp_path).device == tmp_path.stat().st_dev
    if Path("/proc/self").is_dir():
        assert list_files(Path("/proc/self/attr")).device != tmp_path.stat().st_dev


def test_ignored_files_are_passed_over_and_ignored_folders_not_entered(tmp_path: Path) -> None:
    for name in ("a.md", "draft.md", "sub/draft.md", "sub/kept.md", "no/a.md", "no/no/a.md", "no/.kbignore"):
        write(tmp_path / name, b"!*\n[")
    write(tmp_path / ".kbignore", b"draft.md\nno/\n")
    write(tmp_path / "sub" / ".kbignore", b"!draft.md\n")
    assert sources(tmp_path) == ["a.md", "sub/draft.md", "sub/kept.md"]
    assert not list_files(tmp_path).troubles


def test_ignoring_does_not_uncover_hidden_files(tmp_path: Path) -> None:
    write(tmp_path / ".draft.md")
    write(tmp_path / ".kbignore", b"!.draft.md\n!*")
    assert sources(tmp_path) == []


def test_wrong_ignore_file_is_trouble_and_what_is_right_in_it_holds(tmp_path: Path) -> None:
    for name in ("sub/a.md", "sub/b.md"):
        write(tmp_path / name)
    write(tmp_path / "sub" / ".kbignore", b"[\na.md\n")
    assert sources(tmp_path) == ["sub/b.md"]
    (trouble,) = list_files(tmp_path).troubles
    assert trouble.source == "sub/.kbignore"
    assert "line 1: " in trouble.reason
    assert trouble.hint


@pytest.mark.parametrize("kind", ["too large", "folder", "pipe", "binary", "dangling", "unreadable"])
def test_ignore_file_that_cannot_be_read_is_trouble(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "a.md")
    rules = tmp_path / ".kbignore"
    match kind:
        case "too large":
            write(rules, b"a.md\n" * 250_000)
        case "folder":
            rules.mkdir()
        case "pipe":
            os.mkfifo(rules)
        case "binary":
            write(rules, bytes(range(256)))
        case "dangling":
            rules.symlink_to("nothing")
        case _:
            take_permission(write(rules, b"a.md"))
    assert sources(tmp_path) == ["a.md"]
    assert [trouble.source for trouble in list_files(tmp_path).troubles] == [".kbignore"]


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
    listing = list_files(root)
    assert [file.source for file in listing.files] == ["inside.md", "real.md"]
    assert not listing.troubles


def test_links_that_go_round_in_circles_end_the_walk_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "a.md")
    (tmp_path / "sub" / "again").symlink_to("..")
    (tmp_path / "there.md").symlink_to("back.md")
    (tmp_path / "back.md").symlink_to("there.md")
    assert sources(tmp_path) == ["sub/a.md"]
    assert not list_files(tmp_path).troubles


def test_very_deep_folders_are_listed(tmp_path: Path) -> None:
    depth = 1_100  # more than Python's limit on recursion
    folder = str(tmp_path)
    for _ in range(depth):
        folder += "/d"
        os.mkdir(folder)  # noqa: PTH102 - pathlib takes seconds for such paths
    write(Path(folder, "a.md"))
    try:
        assert sources(tmp_path) == ["d/" * depth + "a.md"]
    finally:
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)  # pytest's own cleaning is recursive


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


@pytest.mark.parametrize("mode", [0o000, 0o333, 0o444])
def test_folder_below_that_cannot_be_looked_into_is_trouble_and_the_rest_is_listed(tmp_path: Path, mode: int) -> None:
    for name in ("a/a.md", "sub/a.md", "sub/b.md", "sub/deep/a.md", "z.md"):
        write(tmp_path / name)
    with permissions(tmp_path / "sub", mode):
        listing = list_files(tmp_path)
    assert [file.source for file in listing.files] == ["z.md", "a/a.md"]
    (trouble,) = listing.troubles
    assert trouble.source == "sub/"
    assert "Permission denied" in trouble.reason
    assert trouble.hint


@pytest.mark.parametrize("mode", [0o000, 0o333, 0o444])
def test_folder_without_permission_is_an_error(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "root" / "a.md")
    with permissions(tmp_path / "root", mode), pytest.raises(PermissionError):
        list_files(tmp_path / "root")


def test_ignored_folder_that_cannot_be_read_is_no_trouble(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "a.md")
    write(tmp_path / ".kbignore", b"sub/")
    with permissions(tmp_path / "sub", 0):
        assert not list_files(tmp_path).troubles


def test_link_whose_file_cannot_be_seen_is_trouble(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "a.md")
    (tmp_path / "link.md").symlink_to("sub/a.md")
    with permissions(tmp_path / "sub", 0):
        assert [trouble.source for trouble in list_files(tmp_path).troubles] == ["link.md", "sub/"]


def test_file_without_permission_is_listed(tmp_path: Path) -> None:
    with permissions(write(tmp_path / "a.md"), 0):
        assert sources(tmp_path) == ["a.md"]
    assert not list_files(tmp_path).troubles


def test_trouble_can_be_shown_whatever_the_name(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    with permissions(folder, 0):
        (trouble,) = list_files(tmp_path).troubles
    assert trouble.source == f"caf{UNREADABLE_CHARACTER}/"


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
    (file,) = list_files(tmp_path).files
    assert file.modified_ns == 2**63 - 1


def test_file_that_is_gone_has_no_state(tmp_path: Path) -> None:
    assert stat_file(tmp_path, tmp_path / "gone.md") is None


def test_folder_that_becomes_a_link_while_it_is_listed_shows_nothing_of_what_is_outside(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", write(tmp_path / "outside" / "secret.md")
    write(root / "a.md")
    write(root / "sub" / "b.md")

    def swap() -> None:
        if not (root / "sub").is_symlink():
            (root / "sub").rename(root / ".sub")
            (root / "sub").symlink_to(secret.parent)

    assert [file.source for file in list_files(root, swap).files] == ["a.md"]


def test_list_of_what_to_ignore_is_read_from_the_folder_alone_and_never_waited_for(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", write(tmp_path / "rules", b"a.md")
    write(root / "a.md")
    (root / ".kbignore").symlink_to(outside)
    (trouble,) = list_files(root).troubles
    assert "leads out of the folder" in trouble.reason
    (root / ".kbignore").unlink()
    os.mkfifo(root / ".kbignore")
    (trouble,) = list_files(root).troubles
    assert "not a regular file" in trouble.reason


def test_look_can_be_ended_at_each_file_and_each_rule(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path / f"{number}.md")
    write(tmp_path / ".kbignore", b"x\n" * 30)
    calls: list[None] = []
    list_files(tmp_path, lambda: calls.append(None))
    assert len(calls) >= 20 * 30

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list_files(tmp_path, stop)


def test_outermost_folders_keep_the_order_in_which_they_were_given() -> None:
    given = [Path("/home/z"), Path("/home/ada/notes/old"), Path("/home/ada/notes"), Path("/home/b"), Path("/home/z")]
    assert outermost(given) == (Path("/home/z"), Path("/home/ada/notes"), Path("/home/b"))
    assert outermost([Path("/home/ada"), Path("/home/adamant")]) == (Path("/home/ada"), Path("/home/adamant"))
