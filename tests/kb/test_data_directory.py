import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.data_directory import ADDRESS_NAME, DataDirectoryLock, find_owner
from kb.errors import DataDirectoryLocked, StorageError

URL = "http://127.0.0.1:8321"

OWN = """
import sys
from pathlib import Path
from kb.data_directory import DataDirectoryLock
lock = DataDirectoryLock(Path(sys.argv[1]))
if len(sys.argv) > 2:
    lock.announce(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
lock.release()
"""


@contextmanager
def owner(home: Path, *url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns a data directory until it is killed."""
    command = [sys.executable, "-c", OWN, str(home), *url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_second_process_fails_at_once_and_is_told_where_the_first_listens(tmp_path: Path) -> None:
    with owner(tmp_path, URL) as process:
        with pytest.raises(DataDirectoryLocked, match=rf"process {process.pid}, listening at {URL}") as caught:
            DataDirectoryLock(tmp_path)
        assert "--home" in caught.value.hint
        found = find_owner(tmp_path)
        assert found is not None
        assert (found.pid, found.url) == (process.pid, URL)


def test_owner_that_does_not_listen_is_another_process(tmp_path: Path) -> None:
    with owner(tmp_path):
        assert find_owner(tmp_path) is None
        with pytest.raises(DataDirectoryLocked, match="another process"):
            DataDirectoryLock(tmp_path)


def test_lock_ends_with_its_process_also_when_that_is_killed(tmp_path: Path) -> None:
    with owner(tmp_path, URL) as process:
        process.kill()
        process.wait()
        assert (tmp_path / ADDRESS_NAME).exists()
        assert find_owner(tmp_path) is None
        DataDirectoryLock(tmp_path).release()


def test_address_that_a_killed_process_left_is_not_taken_for_the_next_owners(tmp_path: Path) -> None:
    # The id in it belongs to a living process again, as it always does in a container.
    (tmp_path / ADDRESS_NAME).write_text(json.dumps({"pid": os.getpid(), "url": URL}))
    lock = DataDirectoryLock(tmp_path)
    assert find_owner(tmp_path) is None
    lock.release()


def test_one_process_cannot_open_a_data_directory_twice(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    with pytest.raises(DataDirectoryLocked):
        DataDirectoryLock(tmp_path)
    lock.release()


def test_released_directory_can_be_owned_again_and_nobody_listens(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    lock.announce(URL)
    assert find_owner(tmp_path) is not None
    lock.release()
    lock.release()
    assert find_owner(tmp_path) is None
    DataDirectoryLock(tmp_path).release()


def test_releasing_twice_leaves_the_next_owner_alone(tmp_path: Path) -> None:
    first = DataDirectoryLock(tmp_path)
    first.release()
    second = DataDirectoryLock(tmp_path)
    second.announce(URL)
    first.release()
    assert find_owner(tmp_path) is not None
    second.release()


def test_data_directory_is_made(tmp_path: Path) -> None:
    DataDirectoryLock(tmp_path / "a" / "b").release()
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "url": ""}', "\x00"])
def test_address_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ADDRESS_NAME).write_text(text)
    assert find_owner(tmp_path) is None


def test_file_in_the_place_of_the_data_directory_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "home"
    path.write_text("in the way")
    with pytest.raises(StorageError, match=str(path)) as caught:
        DataDirectoryLock(path)
    assert "KB_HOME" in caught.value.hint
