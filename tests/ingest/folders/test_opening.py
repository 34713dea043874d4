import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.folders.opening import hash_file, open_file, opened_folder, read_file
from kb.errors import UnreadableFile
from tests.harness import eventually, take_permission

SECRET = b"secret"
MAX_BYTES = 10_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("root/a.md", "root/sub/b.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"text")
    (tmp_path / "outside").mkdir()
    for name in ("a.md", "b.md"):
        (tmp_path / "outside" / name).write_bytes(SECRET)
    return tmp_path / "root"


def read(root: Path, source: str) -> bytes:
    return read_file(root, source, MAX_BYTES)


def test_file_is_read_and_so_is_what_links_inside_lead_to(root: Path) -> None:
    (root / "near.md").symlink_to("sub/b.md")
    (root / "sub" / "up.md").symlink_to("../near.md")
    (root / "whole.md").symlink_to(root / "a.md")
    (root / "folder").symlink_to("sub")
    (root.parent / "link").symlink_to("root")
    for source in ("a.md", "sub/b.md", "near.md", "sub/up.md", "whole.md", "folder/b.md"):
        assert read(root, source) == read(root.parent / "link", source) == b"text"


@pytest.mark.parametrize(
    "swap",
    [
        lambda root: (root / "sub" / "b.md").symlink_to("../../outside/b.md"),
        lambda root: (root / "sub" / "b.md").symlink_to(root.parent / "outside" / "b.md"),
        lambda root: (root / "sub" / "b.md").symlink_to("/dev/zero"),
        lambda root: (root / "sub" / "b.md").symlink_to("b.md"),
        lambda root: (root / "sub" / "b.md").symlink_to("/proc/self/root/etc/hostname"),
        lambda root: (root / "sub").rmdir() or (root / "sub").symlink_to("../outside"),
        lambda root: os.mkfifo(root / "sub" / "b.md"),
        lambda root: (root / "sub" / "b.md").mkdir(),
        lambda root: None,
    ],
    ids=["link", "absolute link", "device", "loop", "magic link", "folder", "pipe", "folder in its place", "gone"],
)
def test_whatever_takes_the_place_of_a_file_is_refused_at_once(root: Path, swap: Callable[[Path], object]) -> None:
    (root / "sub" / "b.md").unlink()
    swap(root)
    with pytest.raises(OSError, match=r"\w"):
        open_file(root, "sub/b.md")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        hash_file(root, "sub/b.md", MAX_BYTES)


@pytest.mark.parametrize("source", ["../outside/a.md", "sub/../../outside/a.md", "..", "", "."])
def test_path_that_leads_out_or_to_no_file_is_refused(root: Path, source: str) -> None:
    with pytest.raises(OSError, match=r"leads out|not a regular"):
        open_file(root, source)


@pytest.mark.parametrize("swapped", ["a.md", "sub"])
def test_link_that_comes_and_goes_is_never_followed_out_of_the_folder(root: Path, swapped: str) -> None:
    source = "sub/b.md" if swapped == "sub" else swapped
    place, aside, link = root / swapped, root / ".aside", root / ".link"
    link.symlink_to(root.parent / "outside" / (swapped if swapped == "a.md" else ""))
    code = (
        "import os, sys; place, aside, link = sys.argv[1:]\n"
        "while True:\n"
        "    os.rename(place, aside); os.rename(link, place); os.rename(place, link); os.rename(aside, place)\n"
    )
    found = set()
    with subprocess.Popen([sys.executable, "-c", code, str(place), str(aside), str(link)]) as swapping:
        try:
            assert eventually(lambda: not os.path.lexists(place))
            for _ in range(4_000):
                try:
                    found.add(read(root, source))
                except OSError:
                    continue
        finally:
            swapping.kill()
    assert found <= {b"text"}  # it may have been away each time


def test_folder_is_opened_only_if_no_part_of_its_path_is_a_link(root: Path) -> None:
    with opened_folder(root, ["sub"]) as opened:
        assert os.listdir(opened) == ["b.md"]  # noqa: PTH208 - it is a descriptor
    (root / "link").symlink_to("../outside")
    (root / "inside").symlink_to("sub")
    for name in ("link", "inside"):
        with pytest.raises(OSError, match=r"\w"), opened_folder(root, [name]):
            pass


def test_larger_file_is_refused_and_of_a_growing_one_only_what_was_there_is_read(root: Path) -> None:
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_file(root, "a.md", 3)
    with pytest.raises(UnreadableFile, match="more than 3 bytes"):
        hash_file(root, "a.md", 3)
    assert read_file(root, "a.md", 4) == b"text"


def test_nothing_stays_open(root: Path) -> None:
    os.mkfifo(root / "pipe.md")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    for source in ("a.md", "sub/b.md", "gone.md", "pipe.md", "sub", "sub/gone.md"):
        try:
            read(root, source)
        except OSError:
            continue
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_hash_is_that_of_the_bytes(root: Path) -> None:
    content = b"x" * 3_000_000
    (root / "a.md").write_bytes(content)
    assert hash_file(root, "a.md", MAX_BYTES) == hashlib.sha256(content).hexdigest()


def test_file_that_cannot_be_hashed_has_a_reason(root: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        hash_file(root, "gone.md", MAX_BYTES)
    take_permission(root / "a.md")
    with pytest.raises(UnreadableFile, match="Permission denied"):
        hash_file(root, "a.md", MAX_BYTES)
