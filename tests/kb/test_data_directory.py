import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.data_directory import ADDRESS_NAME, LOCK_NAME, DataDirectoryLock, Owner, close_to_others, find_owner, own_names
from kb.errors import DataDirectoryLocked, StorageError

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")

OWN = """
import socket, sys
from pathlib import Path
from kb.data_directory import DataDirectoryLock
lock = DataDirectoryLock(Path(sys.argv[1]))
url = "-"
if len(sys.argv) > 2:
    listener = socket.create_server((sys.argv[2], 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    lock.announce(url)
print(url, flush=True)
sys.stdin.read()
lock.release()
"""


@contextmanager
def owner(home: Path, *host: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that owns a data directory until it is killed, and its URL if it listens on a host."""
    command = [sys.executable, "-c", OWN, str(home), *host]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert url
        try:
            yield process, url
        finally:
            process.kill()


@contextmanager
def listening() -> Iterator[str]:
    """A port of this process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_second_process_fails_at_once_and_is_told_where_the_first_listens(tmp_path: Path, host: str) -> None:
    with owner(tmp_path, host) as (process, url):
        with pytest.raises(DataDirectoryLocked, match=rf"process {process.pid}, listening at {url}") as caught:
            DataDirectoryLock(tmp_path)
        assert "--home" in caught.value.hint
        found = find_owner(tmp_path)
        assert found is not None
        assert (found.pid, found.url) == (process.pid, url)


def test_owner_that_does_not_listen_is_another_process(tmp_path: Path) -> None:
    with owner(tmp_path):
        assert find_owner(tmp_path) is None
        with pytest.raises(DataDirectoryLocked, match=r"another process .* does not say where it listens"):
            DataDirectoryLock(tmp_path)


def test_lock_ends_with_its_process_also_when_that_is_killed(tmp_path: Path) -> None:
    with owner(tmp_path, "127.0.0.1") as (process, _):
        process.kill()
        process.wait()
        assert (tmp_path / ADDRESS_NAME).exists()
        assert find_owner(tmp_path) is None
        DataDirectoryLock(tmp_path).release()


def test_address_that_a_killed_process_left_is_not_taken_for_the_next_owners(tmp_path: Path) -> None:
    # The id in it belongs to a living process again, as it always does in a container.
    with listening() as url:
        (tmp_path / ADDRESS_NAME).write_text(json.dumps({"pid": os.getpid(), "url": url}))
        lock = DataDirectoryLock(tmp_path)
        assert find_owner(tmp_path) is None
        lock.release()


def test_address_is_believed_only_while_somebody_has_the_data_directory(tmp_path: Path) -> None:
    with listening() as url:
        (tmp_path / ADDRESS_NAME).write_text(json.dumps({"pid": os.getpid(), "url": url}))
        assert find_owner(tmp_path) is None
        DataDirectoryLock(tmp_path).release()


def test_one_process_cannot_open_a_data_directory_twice(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    with pytest.raises(DataDirectoryLocked):
        DataDirectoryLock(tmp_path)
    lock.release()


def test_released_directory_can_be_owned_again_and_nobody_listens(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    with listening() as url:
        lock.announce(url)
        assert find_owner(tmp_path) == Owner(os.getpid(), url)
        lock.release()
        lock.release()
        assert find_owner(tmp_path) is None
    DataDirectoryLock(tmp_path).release()


def test_name_becomes_the_address_that_the_owner_listens_on(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)
    with listening() as url:
        lock.announce(url.replace("127.0.0.1", "localhost"))
        assert find_owner(tmp_path) == Owner(os.getpid(), url)
    lock.release()


def test_releasing_twice_leaves_the_next_owner_alone(tmp_path: Path) -> None:
    first = DataDirectoryLock(tmp_path)
    first.release()
    second = DataDirectoryLock(tmp_path)
    with listening() as url:
        second.announce(url)
        first.release()
        assert find_owner(tmp_path) is not None
    second.release()


def test_data_directory_is_made(tmp_path: Path) -> None:
    DataDirectoryLock(tmp_path / "a" / "b").release()
    assert (tmp_path / "a" / "b").is_dir()


URLS = ["7", '"URL:"', '"http://"', '"http://127.0.0.1"', '"http://127.0.0.1:1"', '"http://127.0.0.1:99999"']
URLS += [f'"{start}:PORT"' for start in ("https://127.0.0.1", "ftp://127.0.0.1", "http://192.0.2.1", "http://[::1")]
ODD = ["", "{", "[]", "[" * 9999, "{}", '{"pid": "x", "url": ""}', "\x00"]
ODD += ['{"pid": PID, "url": "URL"' + " " * 9999 + "}"]
ODD += [f'{{"pid": {pid}, "url": "URL"}}' for pid in ("null", "[PID]", "Infinity", "NaN", "-1", str(2**70), "1")]
ODD += [f'{{"pid": PID, "url": {url}}}' for url in URLS]


@pytest.mark.parametrize("text", ODD)
def test_address_that_cannot_be_believed_is_none(tmp_path: Path, text: str) -> None:
    lock = DataDirectoryLock(tmp_path)
    with listening() as url:
        text = text.replace("PID", str(os.getpid())).replace("URL", url).replace("PORT", url.rpartition(":")[2])
        (tmp_path / ADDRESS_NAME).write_text(text)
        assert find_owner(tmp_path) is None
        with pytest.raises(DataDirectoryLocked, match="does not say where it listens"):
            DataDirectoryLock(tmp_path)
        lock.announce(url)
        assert find_owner(tmp_path) is not None
    assert find_owner(tmp_path) is None, "the owner does not listen any more"
    lock.release()


def test_file_in_the_place_of_the_data_directory_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "home"
    path.write_text("in the way")
    with pytest.raises(StorageError, match=str(path)) as caught:
        DataDirectoryLock(path)
    assert "KB_HOME" in caught.value.hint


FILES = ("catalog.sqlite3", "catalog.sqlite3-wal", "kb.toml", "evaluations.jsonl")


@pytest.fixture
def open_home(tmp_path: Path) -> Path:
    """A data directory as the umask of most machines makes it, with a token and documents in it."""
    home = tmp_path / "open home"
    for folder in (home, home / "chroma"):
        folder.mkdir()
        folder.chmod(0o755)
    for name in FILES:
        (home / name).write_text("secret")
        (home / name).chmod(0o644)
    return home


def modes(home: Path, *names: str) -> set[int]:
    return {stat.S_IMODE((home / name).stat().st_mode) for name in names}


@posix
def test_data_directory_is_made_for_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        lock = DataDirectoryLock(tmp_path / "home")
        lock.announce("http://127.0.0.1:7")
    finally:
        os.umask(before)
    assert modes(tmp_path, "home") == {0o700}
    assert modes(tmp_path / "home", LOCK_NAME, ADDRESS_NAME) == {0o600}
    lock.release()


@posix
def test_data_directory_that_is_open_to_others_is_closed_and_that_is_said_once(
    open_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for _ in range(2):
        close_to_others(open_home)
    assert modes(open_home, ".", "chroma") == {0o700}
    assert modes(open_home, *FILES) == {0o600}
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert str(open_home) in caplog.text


@posix
def test_folder_with_other_things_stays_as_it_is_but_for_what_is_ours(
    open_home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (open_home / "thesis.tex").touch(0o644)
    (open_home / "catalog.sqlite3-shm").symlink_to(open_home / "thesis.tex")
    close_to_others(open_home)
    assert modes(open_home, ".") == {0o755}
    assert modes(open_home, "thesis.tex") == {0o644}
    assert modes(open_home, "chroma") == {0o700}
    assert modes(open_home, *FILES) == {0o600}
    assert f"may look into {open_home}: it holds other things" in caplog.text
    assert "KB_HOME" in caplog.text


@posix
def test_data_directory_that_cannot_be_closed_is_used_with_a_warning(
    open_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("it is somebody else's")

    monkeypatch.setattr(os, "chmod", refuse)
    close_to_others(open_home)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "kb.toml" in caplog.text


def test_names_of_its_own_are_known_in_a_data_directory_alone() -> None:
    names = ["lock", "server.json", "in_hand.json", "catalog.sqlite3", "catalog.sqlite3-wal", "chroma", "thesis.md"]
    assert own_names(names) == set(names) - {"thesis.md"}
    assert own_names(["lock", "server.json", "thesis.md"]) == set()
