import datetime
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import pytest

from kb.answering.sources.freshness import FreshPassages
from kb.values.answers import Answer, AnswerEvent, Done, IndexState, Timings
from kb.values.chat import Heartbeat
from kb.values.documents import DocumentInfo, FileVersion
from kb.values.passages import Passage, PassagePart

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


def document(name: str, version: int = 1) -> DocumentInfo:
    file = FileVersion("/papers", f"{name}.md", 10, version)
    return DocumentInfo(name, file, name, "text/markdown", (), None, None, 10, 1, NOW)


class Library:
    """Documents with one passage each, ranked by name, and what is on the disk by now."""

    def __init__(self, *names: str) -> None:
        self.indexed = {name: document(name) for name in names}
        self.on_disk: dict[str, int | None] = dict.fromkeys(names, 1)
        self.searches: list[int] = []
        self.asked: list[tuple[list[str], float]] = []
        self.follow: Callable[[DocumentInfo], None] = self.index
        self.on_search: Callable[[], object] = lambda: None

    def search(self, top_k: int) -> tuple[Passage, ...]:
        self.searches.append(top_k)
        found = list(self.indexed.values())[:top_k]
        self.on_search()
        part = PassagePart(0, 4, None, ())
        return tuple(
            Passage(number, info.id, info.title, info.file.source, f"v{info.file.modified_ns}", 0, 2, (part,), 1.0)
            for number, info in enumerate(found, start=1)
        )

    def index(self, info: DocumentInfo) -> None:
        """Does for a document what the pipeline would do."""
        version = self.on_disk.get(info.id)
        if version is None:
            self.indexed.pop(info.id, None)
        else:
            self.indexed[info.id] = replace(info, file=replace(info.file, modified_ns=version))

    def drifted(self, documents: Sequence[DocumentInfo]) -> list[DocumentInfo]:
        return [info for info in documents if self.on_disk.get(info.id) != info.file.modified_ns]

    def refresh(self, documents: Sequence[DocumentInfo], timeout_seconds: float) -> None:
        self.asked.append(([info.id for info in documents], timeout_seconds))
        for info in documents:
            self.follow(info)

    @property
    def passages(self) -> FreshPassages:
        return FreshPassages(self.search, self.indexed.get, self)


def texts(passages: Sequence[Passage]) -> list[str]:
    return [f"{passage.number} {passage.document_id} {passage.text}" for passage in passages]


def declared(passages: FreshPassages) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the index of an answer says: refreshed, stale."""
    index = IndexState(pending=3, failed=1)
    answer = Answer("Yes.", "", (), (), True, "fake", "stop", Timings(), index)
    heartbeat, done = passages.declared(event for event in (Heartbeat(), Done(answer)))
    assert heartbeat == Heartbeat()
    assert isinstance(done, Done)
    assert replace(done.answer, index=index) == answer
    said = done.answer.index
    assert replace(said, refreshed=(), stale=()) == index
    return said.refreshed, said.stale


def test_what_has_not_changed_is_searched_once_and_nobody_is_asked() -> None:
    knowledge_base = Library("a", "b", "c")
    passages = knowledge_base.passages
    assert texts(passages.find(2)) == ["1 a v1", "2 b v1"]
    assert (knowledge_base.searches, knowledge_base.asked, declared(passages)) == ([2], [], ((), ()))


def test_without_anybody_who_knows_files_nothing_is_checked() -> None:
    knowledge_base = Library("a")
    knowledge_base.on_disk["a"] = None
    assert texts(FreshPassages(knowledge_base.search, knowledge_base.indexed.get, None).find(4)) == ["1 a v1"]


def test_changed_file_answers_with_its_new_text() -> None:
    knowledge_base = Library("a", "b")
    knowledge_base.on_disk["b"] = 2
    passages = knowledge_base.passages
    assert texts(passages.find(4)) == ["1 a v1", "2 b v2"]
    assert declared(passages) == (("b.md",), ())
    assert [ids for ids, _ in knowledge_base.asked] == [["b"]]


def test_file_that_is_gone_makes_room_for_the_next_best() -> None:
    knowledge_base = Library("a", "b", "c")
    knowledge_base.on_disk["a"] = None
    passages = knowledge_base.passages
    assert texts(passages.find(2)) == ["1 b v1", "2 c v1"]
    assert declared(passages) == (("a.md",), ())


def test_renamed_file_is_declared_under_its_new_name() -> None:
    knowledge_base = Library("a")
    knowledge_base.on_disk["a"] = 2

    def move(info: DocumentInfo) -> None:
        knowledge_base.indexed["a"] = replace(info, file=replace(info.file, source="new.md", modified_ns=2))

    knowledge_base.follow = move
    passages = knowledge_base.passages
    assert [passage.source for passage in passages.find(1)] == ["new.md"]
    assert declared(passages) == (("new.md",), ())


@pytest.mark.parametrize("now", [None, 2])
def test_what_cannot_be_followed_in_time_does_not_answer_and_is_declared(now: int | None) -> None:
    knowledge_base = Library("a", "b", "c")
    knowledge_base.on_disk["a"] = now
    knowledge_base.follow = lambda info: None
    passages = knowledge_base.passages
    assert texts(passages.find(2)) == ["1 b v1", "2 c v1"]
    assert declared(passages) == ((), ("a.md",))
    assert len(knowledge_base.asked) == 1, "each version is tried once"


def test_no_more_passages_come_than_were_asked_for_when_a_document_goes_meanwhile() -> None:
    knowledge_base = Library("a", "b", "c", "d")
    knowledge_base.on_disk["a"] = 2
    knowledge_base.follow = lambda info: None

    def go() -> None:
        if len(knowledge_base.searches) == 2:
            knowledge_base.indexed = {
                "b": document("b"),
                "c": document("c"),
                "d": document("d"),
                "a": knowledge_base.indexed["a"],
            }

    knowledge_base.on_search = go
    assert texts(knowledge_base.passages.find(2)) == ["1 b v1", "2 c v1"]


def test_next_best_that_has_changed_too_does_not_answer_either() -> None:
    knowledge_base = Library("a", "b", "c", "d")
    knowledge_base.on_disk["a"] = knowledge_base.on_disk["c"] = 2
    knowledge_base.follow = lambda info: None
    passages = knowledge_base.passages
    assert texts(passages.find(2)) == ["1 b v1"]
    assert declared(passages) == ((), ("a.md", "c.md"))


def test_what_comes_up_in_the_second_search_is_checked_as_well() -> None:
    knowledge_base = Library("a", "b")
    knowledge_base.on_disk = {"a": None, "b": 2}
    passages = knowledge_base.passages
    assert texts(passages.find(1)) == ["1 b v2"]
    assert [ids for ids, _ in knowledge_base.asked] == [["a"], ["b"]]
    assert declared(passages) == (("a.md", "b.md"), ())


def test_one_that_is_followed_and_one_that_is_not_are_told_apart() -> None:
    knowledge_base = Library("a", "b")
    knowledge_base.on_disk = {"a": 2, "b": 2}
    knowledge_base.follow = lambda info: knowledge_base.index(info) if info.id == "a" else None
    passages = knowledge_base.passages
    assert texts(passages.find(2)) == ["1 a v2"]
    assert declared(passages) == (("a.md",), ("b.md",))


def test_file_that_never_comes_to_rest_is_not_waited_for_longer_than_allowed() -> None:
    knowledge_base = Library("a")
    knowledge_base.on_disk["a"] = 2

    def write_again(info: DocumentInfo) -> None:
        knowledge_base.index(info)
        knowledge_base.on_disk["a"] = info.file.modified_ns + 2

    knowledge_base.follow = write_again
    passages = FreshPassages(knowledge_base.search, knowledge_base.indexed.get, knowledge_base, patience_seconds=0.05)
    assert passages.find(4) == ()
    assert declared(passages) == ((), ("a.md",))
    left = [seconds for _, seconds in knowledge_base.asked]
    assert 0.05 >= left[0] > left[-1] > 0


def test_document_that_is_removed_between_search_and_check_does_not_answer() -> None:
    knowledge_base = Library("a", "b")
    knowledge_base.on_search = lambda: knowledge_base.indexed.pop("a", None)
    assert texts(knowledge_base.passages.find(2)) == ["1 b v1"]


def test_closing_the_declared_events_closes_the_answer() -> None:
    closed = []

    def events() -> Generator[AnswerEvent, None, None]:
        try:
            yield Heartbeat()
            yield Heartbeat()
        finally:
            closed.append(True)

    declaring = Library().passages.declared(events())
    next(declaring)
    declaring.close()
    assert closed == [True]
