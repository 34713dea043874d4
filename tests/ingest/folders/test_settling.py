import os
import time
from pathlib import Path

from ingest.folders.listing import stat_file
from ingest.folders.settling import PATIENCE, Settling
from kb.values.documents import FileVersion
from tests.harness import eventually


def seen(path: Path) -> FileVersion:
    file = stat_file(path.parent, path)
    assert file
    return file


def test_file_is_read_once_it_has_been_still(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("A")
    settling = Settling(0.05)
    assert not settling.settled([seen(path)]).still
    assert eventually(lambda: settling.settled([seen(path)]).still == [seen(path)])


def test_file_from_the_future_is_read_once_it_was_seen_still(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("A")
    os.utime(path, (time.time() + 9999, time.time() + 9999))
    settling = Settling(0.05)
    assert not settling.settled([seen(path)]).still
    assert eventually(lambda: settling.settled([seen(path)]).still)


def test_file_that_never_rests_is_read_after_a_while_and_then_waited_for_again(tmp_path: Path) -> None:
    path = tmp_path / "log.md"
    settling = Settling(0.05)
    began = time.monotonic()

    def restless() -> bool:
        with path.open("a") as file:
            file.write("one more line\n")
        settled = settling.settled([seen(path)])
        assert not settled.still
        return bool(settled.restless)

    assert eventually(restless)
    assert time.monotonic() - began >= PATIENCE * 0.05
    assert restless(), "until it was read"
    settling.read(seen(path))
    assert not restless()
