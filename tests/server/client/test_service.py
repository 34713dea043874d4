import datetime
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.errors import (
    InvalidRequest,
    KBError,
    NotFound,
    RequestTooLarge,
    UnsupportedType,
)
from kb.settings import Settings
from kb.values.answers import AskOptions
from kb.values.documents import FailureKind
from kb.values.filters import Filters
from server.client.connection import connect
from server.client.local import Local
from server.client.remote import Remote
from server.client.service import Service
from server.http import schemas
from tests.fakes import FakeLanguageModel
from tests.harness import open_fake_knowledge_base, serving, take_permission
from tests.server.client.watching import QUESTION, ignore, show_nothing

ODD = "# Odd\n\nA platypus\N{LINE SEPARATOR}lays\x85eggs and swims.\n"


@pytest.fixture(params=["local", "remote"])
def service(request: pytest.FixtureRequest, settings: Settings, folder: Path) -> Iterator[Service]:
    """Both kinds of service, of which the same is expected."""
    model = FakeLanguageModel("The second dome was repaired in March.", "Look for the dome.")
    if request.param == "remote":
        with serving(settings, folder, model=model), connect(settings, show_nothing) as service:
            assert isinstance(service, Remote)
            yield service
    else:
        local = Local(open_fake_knowledge_base(settings, model=model), show_nothing, settings)
        yield local
        local.close()


def test_what_was_synced_can_be_searched_and_asked(service: Service) -> None:
    result = service.sync(ignore)
    assert (result.documents, result.failed) == (1, 0)
    assert [passage.source for passage in service.search("second dome", 3).passages] == ["dome.md"]
    bodies = list(service.ask(QUESTION, (), AskOptions(thinking="short")))
    assert isinstance(bodies[0], schemas.PassagesEvent)
    answer = bodies[-1]
    assert isinstance(answer, schemas.Answer)
    assert answer.answer == "The second dome was repaired in March."
    assert "".join(body.text for body in bodies if isinstance(body, schemas.ReasoningEvent)) == answer.reasoning
    assert service.status().documents == 1


def test_list_of_documents_comes_near_and_far(service: Service) -> None:
    service.sync(ignore)
    *_, answer = service.ask("Which files mention the dome?")
    assert isinstance(answer, schemas.Answer)
    assert (answer.kind, [document.source for document in answer.documents]) == ("inventory", ["dome.md"])


def test_kind_may_be_named_near_and_far(service: Service) -> None:
    service.sync(ignore)
    *_, answer = service.ask("Which files mention the dome?", (), AskOptions(kind="lookup"))
    assert isinstance(answer, schemas.Answer)
    assert (answer.kind, answer.documents) == ("lookup", [])


def test_text_is_checked_near_and_far(service: Service) -> None:
    service.sync(ignore)
    *told, found = service.verify("The second dome was repaired in March. It is green.")
    assert isinstance(found, schemas.Verification)
    assert [each.verdict for each in found.statements] == ["supported", "not_shown"]
    assert [each for each in told if isinstance(each, schemas.CheckedStatement)] == found.statements
    assert found.statements[0].citations[0].source == "dome.md"
    assert found.judge == "", "the model is not calibrated"
    with pytest.raises(InvalidRequest, match="empty"):
        list(service.verify(" "))
    *_, given = service.verify("It opens at nine.", sources=["Bread.", "It opens at nine."])
    assert isinstance(given, schemas.Verification)
    assert given.statements[0].citations[0].source == "2"


def test_filters_hold_near_and_far(service: Service, folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "old" / "dome.md").write_text("---\ntags: [history]\ndate: 1987-05-01\n---\nThe second dome was built.\n")
    service.sync(ignore)
    ids = {document.source: document.id for document in service.documents().documents}
    for filters in (
        Filters(folders=("old",), types=("md",)),
        Filters(tags=("History",)),
        Filters(since=datetime.date(1987, 5, 1), until=datetime.date(1987, 5, 1)),
        Filters(document_ids=(ids["old/dome.md"],)),
    ):
        found = service.search("second dome", 9, filters).passages
        assert [passage.source for passage in found] == ["old/dome.md"], filters
    *_, answer = service.ask(QUESTION, (), AskOptions(filters=Filters(tags=("unknown",))))
    assert isinstance(answer, schemas.Answer)
    assert (answer.passages, answer.answerable) == ([], False)


def test_text_with_every_kind_of_line_end_arrives_whole(service: Service, folder: Path) -> None:
    (folder / "odd.md").write_text(ODD)
    service.sync(ignore)
    bodies = list(service.ask("Does the platypus lay eggs and swim?", (), AskOptions(top_k=1)))
    assert isinstance(bodies[0], schemas.PassagesEvent)
    assert bodies[0].passages[0].source == "odd.md"
    assert {"\N{LINE SEPARATOR}", "\x85"} & set(bodies[0].passages[0].text)
    assert isinstance(bodies[-1], schemas.Answer)


def test_added_file_is_copied_and_indexed(service: Service, folder: Path, tmp_path: Path) -> None:
    original = tmp_path / "quokka.md"
    original.write_text("# Quokka\n\nQuokkas smile.\n")
    (uploaded,) = service.add(original).uploaded
    assert (uploaded.root, uploaded.source) == (str(folder), "quokka.md")
    service.sync(ignore)
    assert service.search("quokkas", 1).passages[0].source == "quokka.md"
    assert original.is_file()


def test_file_whose_name_is_no_text_is_added_under_one_that_is(service: Service, tmp_path: Path) -> None:
    original = tmp_path / b"caf\xe9.md".decode(errors="surrogateescape")
    original.write_text("# Café\n\nEspresso is strong.\n")
    (uploaded,) = service.add(original).uploaded
    assert uploaded.source == "caf_.md"


def test_documents_are_listed_and_forgotten(service: Service, folder: Path) -> None:
    (folder / "diary.md").write_text("# Diary\n\nA platypus lays eggs.\n")
    service.sync(ignore)
    ids = {document.source: document.id for document in service.documents().documents}
    assert ids.keys() == {"dome.md", "diary.md"}
    service.forget([ids["diary.md"]])
    listed = service.documents()
    assert [document.source for document in listed.documents] == ["dome.md"]
    assert [(failure.source, failure.kind) for failure in listed.failures] == [("diary.md", FailureKind.FORGOTTEN)]
    assert "diary.md" not in {passage.source for passage in service.search("platypus eggs", 5).passages}
    assert (folder / "diary.md").is_file()
    with pytest.raises(NotFound):
        service.forget([ids["diary.md"]])


@pytest.mark.parametrize("embed", [False, True])
def test_reindex_waits_until_all_is_made_anew(service: Service, embed: bool) -> None:
    service.sync(ignore)
    (before,) = service.documents().documents
    seen: list[schemas.Status] = []
    result = service.reindex(seen.append, embed=embed)
    (after,) = service.documents().documents
    assert (result.documents, after.id) == (1, before.id)
    assert after.indexed_at > before.indexed_at
    assert service.status().index.building is None
    assert [passage.source for passage in service.search("second dome", 3).passages] == ["dome.md"]


def make(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_errors_are_the_same_near_and_far(service: Service, folder: Path) -> None:
    attempts: list[tuple[type[KBError], Callable[[], object]]] = [
        (InvalidRequest, lambda: service.add(Path("/nowhere/file.md"))),
        (InvalidRequest, lambda: service.add(folder)),
        (UnsupportedType, lambda: service.add(make(folder.parent / "a.exe", b"MZ"))),
        (InvalidRequest, lambda: list(service.ask("  "))),
        (RequestTooLarge, lambda: list(service.ask("?" * 5000))),
        (InvalidRequest, lambda: service.search(" ", None)),
    ]
    for kind, attempt in attempts:
        with pytest.raises(kind) as raised:
            attempt()
        assert type(raised.value) is kind
        assert raised.value.message


def test_file_that_may_not_be_read_cannot_be_added(service: Service, tmp_path: Path) -> None:
    path = make(tmp_path / "closed.md", b"text")
    take_permission(path)
    with pytest.raises(InvalidRequest, match="Permission denied"):
        service.add(path)


def test_sync_tells_how_far_it_is(service: Service, folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.md").write_text(f"# {number}\n\nText {number}.\n")
    seen: list[schemas.Status] = []

    def watch(status: schemas.Status) -> None:
        seen.append(status)
        raise KBError("what a look raises is passed over")

    service.sync(watch)
    assert service.status().documents == 21
    assert threading.active_count() < 50


def test_turns_are_kept_near_and_far_and_the_latest_conversation_comes_back(service: Service) -> None:
    assert service.latest_conversation() is None
    turn = schemas.TurnToKeep(question="Which dome?", answer="The second.")
    first = service.keep_turn("", turn)
    service.keep_turn("", turn)
    assert service.keep_turn(first, schemas.TurnToKeep(question="When?", answer="In March.")) == first
    latest = service.latest_conversation()
    assert latest
    assert (latest.id, [each.answer for each in latest.turns]) == (first, ["The second.", "In March."])
    with pytest.raises(NotFound):
        service.keep_turn("none", turn)
