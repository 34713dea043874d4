from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.folders.listing import stat_file
from ingest.pipeline.backlog import AHEAD_BYTES, Backlog
from ingest.pipeline.in_hand import InHand
from ingest.pipeline.reading import Readers, Reading
from kb.values.documents import Document, FileVersion


@dataclass
class EmptyReaders(Readers):
    """Read what they are told to."""

    capacity: int = 4
    begun: dict[str, "Future[Reading]"] = field(default_factory=dict)

    def read(self, file: FileVersion) -> "Future[Reading]":
        return self.begun.setdefault(file.source, Future())

    def finish(self, source: str, text: str = "") -> None:
        document = Document("", "text/plain", text, ()) if text else None
        self.begun[source].set_result(Reading(FileVersion("/", source, 0, 0), document))


@pytest.fixture
def in_hand(tmp_path: Path) -> InHand:
    return InHand(tmp_path / "note.json")


def file_of(source: str, size_bytes: int = 1) -> FileVersion:
    return FileVersion("/", source, size_bytes, 0)


def test_so_many_are_read_ahead_in_order(in_hand: InHand) -> None:
    readers = EmptyReaders()
    backlog = Backlog(readers, in_hand)
    backlog.put(map(file_of, "abcdef"))
    assert list(readers.begun) == list("abcd")
    assert backlog.take() is None
    readers.finish("b")
    taken = backlog.take()
    assert taken
    assert taken[0].source == "b"
    backlog.read_ahead()
    assert list(readers.begun) == list("abcde")
    assert [file.source for file in backlog.files] == list("acdef")


def test_of_large_files_one_is_read_and_small_ones_beside_it(in_hand: InHand) -> None:
    readers = EmptyReaders()
    backlog = Backlog(readers, in_hand)
    backlog.put([file_of("a", AHEAD_BYTES + 1), file_of("b", AHEAD_BYTES + 1), file_of("c"), file_of("d", AHEAD_BYTES)])
    assert list(readers.begun) == ["a", "c"]
    for source in ("a", "c"):
        readers.finish(source)
        backlog.take()
    assert backlog.take() is None
    assert list(readers.begun) == ["a", "c", "b", "d"]


def test_what_may_not_go_first_waits_and_a_large_one_is_not_even_read(in_hand: InHand) -> None:
    readers, small = EmptyReaders(), set("c")
    backlog = Backlog(readers, in_hand, lambda file: file.source in small)
    backlog.put([file_of("a"), file_of("b", AHEAD_BYTES + 1), file_of("c")])
    assert list(readers.begun) == ["a", "c"]
    for source in ("a", "c"):
        readers.finish(source)
    taken = [backlog.take(), backlog.take()]
    assert [file.source for file, _ in filter(None, taken)] == ["c"]
    small.update("ab")
    assert backlog.take()
    assert list(readers.begun) == ["a", "c", "b"]


def test_suspects_are_read_alone_and_while_none_is_indexed(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).write_text(name)
    a, b, c, d = (stat_file(tmp_path, tmp_path / name) for name in "abcd")
    assert a and b and c and d
    note = tmp_path / "note.json"
    died = InHand(note)
    readers = EmptyReaders()
    with died.reading(b), died.reading(c):
        in_hand = InHand(note)
    backlog = Backlog(readers, in_hand)
    backlog.put([a, b, c, d])
    assert list(readers.begun) == ["a", "d"]
    for source in ("a", "d"):
        readers.finish(source)
        assert backlog.take()
        with in_hand.indexing(a):
            backlog.read_ahead()
    assert list(readers.begun) == ["a", "d"]
    assert backlog.take() is None
    assert list(readers.begun) == ["a", "d", "b"]
    readers.finish("b")
    assert backlog.take()
    with in_hand.indexing(b):
        backlog.read_ahead()
    assert list(readers.begun) == ["a", "d", "b"]
    backlog.read_ahead()
    assert list(readers.begun) == ["a", "d", "b", "c"]


def test_small_file_with_a_long_text_counts_as_a_large_one(in_hand: InHand) -> None:
    readers = EmptyReaders()
    backlog = Backlog(readers, in_hand, lambda file: file.size_bytes <= AHEAD_BYTES)
    backlog.put(map(file_of, "ab"))
    readers.finish("a", "x" * (AHEAD_BYTES + 1))
    assert backlog.take() is None
    backlog.put([file_of("c", AHEAD_BYTES + 1), file_of("d")])
    readers.finish("b", "x")
    taken = backlog.take()
    assert taken
    assert taken[0].source == "b"
    assert list(readers.begun) == ["a", "b", "d"]
