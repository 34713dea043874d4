import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ingest.watcher import FolderWatcher

SOON_SECONDS = 5.0
QUIET_SECONDS = 0.25


class Bell:
    """Rings when a watcher hints at a change."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def __call__(self) -> None:
        self._rung.set()

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


class NoMoreWatches(Observer):
    """An observer on a system whose inotify watches are used up."""

    def start(self) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


@contextmanager
def watching(
    *folders: Path, observer: Callable[[], BaseObserver] = Observer, polling_seconds: float = 0.05
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
    class SecondFails(Observer):
        def on_thread_start(self) -> None:
            super().on_thread_start()
            raise OSError(errno.ENOSPC, "inotify watch limit reached")

    with watching(folder, tmp_path / "watched" / "sub", observer=SecondFails) as (watcher, _):
        assert watcher.degraded
        assert not [thread for thread in threading.enumerate() if "InotifyEmitter" in type(thread).__name__]


def test_missing_folder_is_passed_over_and_watched_once_it_has_come(folder: Path, tmp_path: Path) -> None:
    late = tmp_path / "late"
    with watching(late, folder) as (watcher, bell):
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))
        late.mkdir()
        watcher.renew()
        assert bell.rings_after(lambda: (late / "a.md").write_text("text"))
        assert not watcher.degraded


@pytest.mark.parametrize("observer", [Observer, NoMoreWatches])
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
    class TooLate(Observer):
        def start(self) -> None:
            folder.rename(folder.with_name("away"))
            raise OSError(errno.ENOENT, "No such file or directory")

    observers = iter([TooLate, Observer])
    with watching(folder, observer=lambda: next(observers)()) as (watcher, bell):
        folder.with_name("away").rename(folder)
        watcher.renew()
        assert not watcher.degraded
        assert bell.rings_after(lambda: (folder / "a.md").write_text("text"))
