import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver

from ingest.folders.watcher import FolderWatcher, SystemObserver
from tests.harness import take_permission

SOON_SECONDS = 5.0
QUIET_SECONDS = 0.25


on_linux = sys.platform == "linux"
needs_inotify = pytest.mark.skipif(not on_linux, reason="this system has no inotify")


class Bell:
    """Rings when a watcher hints at a change."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def __call__(self) -> None:
        self._rung.set()

    @property
    def has_rung(self) -> bool:
        return self._rung.is_set()

    def rings_after(self, change: Callable[[], object]) -> bool:
        change()
        rung = self._rung.wait(SOON_SECONDS)
        self.wait_for_quiet()
        return rung

    def stays_quiet_after(self, change: Callable[[], object]) -> bool:
        change()
        return not self._rung.wait(QUIET_SECONDS)

    def wait_for_quiet(self) -> None:
        self._rung.clear()
        while self._rung.wait(QUIET_SECONDS / 2):
            self._rung.clear()


class NoMoreWatches(SystemObserver):
    """An observer on a system whose inotify watches are used up."""

    def start(self) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


@contextmanager
def watching(
    *folders: Path, observer: Callable[[], BaseObserver] = SystemObserver, polling_seconds: float = 0.05
) -> Iterator[tuple[FolderWatcher, Bell]]:
    bell = Bell()
    watcher = FolderWatcher(folders, bell, observer=observer, polling_seconds=polling_seconds)
    watcher.start()
    try:
        yield watcher, bell
    finally:
        watcher.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "old.md").write_text("old")
    return folder


def test_each_kind_of_change_is_a_hint(folder: Path) -> None:
    file = folder / "sub" / "new.md"
    with watching(folder) as (watcher, bell):
        assert bell.rings_after(lambda: file.write_text("one"))
        assert bell.rings_after(lambda: file.write_text("two"))
        assert bell.rings_after(lambda: file.rename(folder / "moved.md"))
        assert bell.rings_after(lambda: (folder / "moved.md").unlink())
        assert bell.rings_after(lambda: (folder / "sub" / "old.md").chmod(0o600))
        assert bell.rings_after(lambda: (folder / "sub").rename(folder.parent / "away"))
        assert not watcher.degraded


def test_atomic_save_is_a_hint(folder: Path) -> None:
    written = folder / ".old.md.swp"
    written.write_text("new")
    with watching(folder) as (_, bell):
        assert bell.rings_after(lambda: written.replace(folder / "sub" / "old.md"))


def test_change_in_a_folder_made_meanwhile_is_a_hint(folder: Path) -> None:
    with watching(folder) as (_, bell):
        assert bell.rings_after(lambda: (folder / "later" / "deep").mkdir(parents=True))
        assert bell.rings_after(lambda: (folder / "later" / "deep" / "a.md").write_text("text"))


def test_tree_made_at_once_is_watched_down_to_its_leaves(folder: Path) -> None:
    leaf = folder / "a" / "b" / "c" / "d"

    def make() -> None:
        leaf.mkdir(parents=True)
        (leaf / "a.md").write_text("text")

    with watching(folder) as (_, bell):
        assert bell.rings_after(make)
        assert bell.rings_after(lambda: (leaf / "a.md").write_text("more"))


def test_folder_moved_in_is_watched_with_all_below(folder: Path) -> None:
    outside = folder.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "a.md").write_text("text")
    with watching(folder) as (_, bell):
        assert bell.rings_after(lambda: outside.rename(folder / "inside"))
        assert bell.rings_after(lambda: (folder / "inside" / "deep" / "a.md").write_text("more"))


def test_folder_moved_out_and_back_is_watched_with_all_below(folder: Path) -> None:
    outside, back = folder.parent / "outside", folder / "back"
    with watching(folder) as (_, bell):
        assert bell.rings_after(lambda: (folder / "sub").rename(outside))
        time.sleep(0.6)  # so long watchdog waits whether the folder arrives elsewhere
        bell.wait_for_quiet()
        assert bell.rings_after(lambda: outside.rename(back))
        assert bell.rings_after(lambda: (back / "old.md").write_text("more"))
        assert bell.rings_after(lambda: shutil.rmtree(back))
        assert bell.rings_after(lambda: (folder / "sub").mkdir())
        assert bell.rings_after(lambda: (folder / "sub" / "a.md").write_text("text"))


def test_rename_of_which_only_the_case_differs_is_a_hint(folder: Path) -> None:
    with watching(folder) as (_, bell):
        assert bell.rings_after(lambda: (folder / "sub" / "old.md").rename(folder / "sub" / "Old.md"))
        assert bell.rings_after(lambda: (folder / "sub").rename(folder / "Sub"))
        assert bell.rings_after(lambda: (folder / "Sub" / "Old.md").write_text("text"))


def test_reading_and_listing_is_no_hint(folder: Path) -> None:
    with watching(folder) as (_, bell):
        assert bell.stays_quiet_after(lambda: [path.read_bytes() for path in folder.rglob("*.md")])
        assert bell.stays_quiet_after(lambda: [path.stat() for path in folder.rglob("*")])


def test_stopped_watcher_gives_no_hints(folder: Path) -> None:
    with watching(folder) as (watcher, bell):
        watcher.stop()
        assert bell.stays_quiet_after(lambda: (folder / "a.md").write_text("text"))


def test_folders_are_polled_where_the_system_has_no_watches_left(folder: Path) -> None:
    with watching(folder, observer=NoMoreWatches) as (watcher, bell):
        assert watcher.degraded
        assert bell.rings_after(lambda: (folder / "sub" / "new.md").write_text("text"))
        assert bell.rings_after(lambda: (folder / "sub" / "old.md").unlink())
        assert bell.stays_quiet_after(lambda: [path.read_bytes() for path in folder.rglob("*.md")])


def test_failed_start_leaves_no_threads_behind(folder: Path, tmp_path: Path) -> None:
    class SecondFails(SystemObserver):
        def on_thread_start(self) -> None:
            super().on_thread_start()
            raise OSError(errno.ENOSPC, "inotify watch limit reached")

    with watching(folder, tmp_path / "watched" / "sub", observer=SecondFails) as (watcher, _):
        assert watcher.degraded
        assert not [thread for thread in threading.enumerate() if "InotifyEmitter" in type(thread).__name__]


def test_starting_and_stopping_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    before = resources()
    for observer in [SystemObserver] * 50 + [NoMoreWatches] * 10:
        with watching(folder, other, observer=observer) as (watcher, _):
            other.mkdir()
            watcher.renew()
            other.rmdir()
            watcher.renew()
    assert resources() == before


def resources() -> tuple[int, int]:
    """How many threads there are, and how many open files."""
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir()) if on_linux else 0


@needs_inotify
def test_lost_events_are_a_hint(folder: Path) -> None:
    """Reading gives events that are not heeded; so what rings is the loss of some of them."""
    read_often = "import os, sys\nfor _ in range(20_000): os.close(os.open(sys.argv[1], os.O_RDONLY))"

    def flood() -> None:
        for _ in range(20):
            subprocess.run([sys.executable, "-c", read_often, folder / "sub" / "old.md"], check=True)
            if bell.has_rung:
                break

    with watching(folder) as (watcher, bell):
        assert bell.rings_after(flood)
        assert not watcher.degraded
        assert bell.rings_after(lambda: (folder / "sub" / "new.md").write_text("text"))


@needs_inotify
@pytest.mark.parametrize("when", ["before", "after"])
def test_folders_are_polled_where_there_are_watches_for_some_of_them_only(tmp_path: Path, when: str) -> None:
    """In a process of its own, to which the system gives few watches."""
    outcome = in_namespace(tmp_path, "-Ur", "few_watches", when)
    assert outcome == "degraded: True\nhint: True\n"


@needs_inotify
def test_folder_that_was_unmounted_and_mounted_again_is_watched(tmp_path: Path) -> None:
    outcome = in_namespace(tmp_path, "-Urm", "mounted_again")
    assert outcome == "hint of unmounting: True\nhint: True\n"


def few_watches(folder: Path, when: str) -> None:
    Path("/proc/sys/user/max_inotify_watches").write_text("20")

    def fill() -> None:
        for number in range(30):
            (folder / f"sub{number}").mkdir()

    if when == "before":
        fill()
    with watching(folder) as (watcher, bell):
        if when == "after":
            assert not watcher.degraded
            assert bell.rings_after(fill)
            watcher.renew()
        print("degraded:", watcher.degraded)
        print("hint:", bell.rings_after(lambda: (folder / "sub29" / "a.md").write_text("text")))


def mounted_again(folder: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "none", folder]
    subprocess.run(mount, check=True)
    with watching(folder) as (watcher, bell):
        print("hint of unmounting:", bell.rings_after(lambda: subprocess.run(["umount", folder], check=True)))
        subprocess.run(mount, check=True)
        watcher.renew()
        print("hint:", bell.rings_after(lambda: (folder / "a.md").write_text("text")))


def in_namespace(folder: Path, namespaces: str, function: str, *arguments: str) -> str:
    """Runs a function of this module as the superuser of a small world of its own; skips the test without one."""
    if subprocess.run(["unshare", namespaces, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user cannot make namespaces")
    call = (
        "import pathlib, runpy, sys; runpy.run_path(sys.argv[1])[sys.argv[2]](pathlib.Path(sys.argv[3]), *sys.argv[4:])"
    )
    command = ["unshare", namespaces, sys.executable, "-c", call, __file__, function, str(folder), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout


def test_missing_folder_is_passed_over_and_watched_once_it_has_come(folder: Path, tmp_path: Path) -> None:
    late = tmp_path / "late"
    with watching(late, folder) as (watcher, bell):
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))
        late.mkdir()
        watcher.renew()
        assert bell.rings_after(lambda: (late / "a.md").write_text("text"))
        assert not watcher.degraded


@pytest.mark.parametrize("observer", [SystemObserver, NoMoreWatches])
def test_folder_that_was_replaced_by_another_is_watched_again(
    folder: Path, tmp_path: Path, observer: Callable[[], BaseObserver]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with watching(folder, observer=observer) as (watcher, bell):
        folder.rename(tmp_path / "away")
        other.rename(folder)
        watcher.renew()
        bell.wait_for_quiet()
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))
        assert bell.stays_quiet_after(lambda: (tmp_path / "away" / "b.md").write_text("text"))


def test_renewing_what_has_not_changed_misses_nothing(folder: Path) -> None:
    with watching(folder) as (watcher, bell):
        before = set(threading.enumerate())
        watcher.renew()
        assert set(threading.enumerate()) == before
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))


def test_folder_that_goes_while_it_is_about_to_be_watched_does_no_harm(folder: Path) -> None:
    class TooLate(SystemObserver):
        def start(self) -> None:
            folder.rename(folder.with_name("away"))
            raise OSError(errno.ENOENT, "No such file or directory")

    observers = iter([TooLate, SystemObserver])
    with watching(folder, observer=lambda: next(observers)()) as (watcher, bell):
        folder.with_name("away").rename(folder)
        watcher.renew()
        assert not watcher.degraded
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))


@pytest.mark.parametrize("observer", [SystemObserver, NoMoreWatches])
def test_folder_that_was_deleted_and_made_again_is_watched(folder: Path, observer: Callable[[], BaseObserver]) -> None:
    with watching(folder, observer=observer) as (watcher, bell):
        assert bell.rings_after(lambda: shutil.rmtree(folder))
        folder.mkdir()  # many file systems give it the number of the old one
        watcher.renew()
        bell.wait_for_quiet()
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))


def test_folder_that_may_be_read_now_is_watched(folder: Path) -> None:
    for locked in (folder / "sub", folder):
        take_permission(locked)
        with watching(folder) as (watcher, bell):
            locked.chmod(0o755)
            watcher.renew()
            assert not watcher.degraded
            bell.wait_for_quiet()
            assert bell.rings_after(lambda: (folder / "sub" / "a.md").write_text("text"))
