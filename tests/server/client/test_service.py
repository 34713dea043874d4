import datetime
import http.server
import json
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kb.data_directory import ADDRESS_NAME
from kb.errors import (
    DataDirectoryLocked,
    InvalidRequest,
    KBError,
    ModelBusy,
    NotFound,
    RequestTooLarge,
    SettingsError,
    UnsupportedType,
)
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.chat import Generated, GenerationOptions, Heartbeat, Message
from kb.values.documents import FailureKind, WatchedFolder
from kb.values.filters import Filters
from server.client.connection import connect
from server.client.local import Local, watched_folders
from server.client.remote import Remote
from server.client.service import Service
from server.http import schemas
from server.terminal.answers import AnswerView
from tests.fakes import FakeLanguageModel
from tests.harness import open_fake_knowledge_base, quick_settings, serving, take_permission

QUESTION = "When was the second dome repaired?"
ODD = "# Odd\n\nA platypus\N{LINE SEPARATOR}lays\x85eggs and swims.\n"


def show_nothing(knowledge_base: KnowledgeBase, answering: bool) -> None:
    knowledge_base.wait_for_index()


def ignore(status: schemas.Status) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    return folder


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Settings:
    return quick_settings(tmp_path / "home", folders=(folder,), token="s3cret")


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
    bodies = list(service.ask(QUESTION, "short", None))
    assert isinstance(bodies[0], schemas.PassagesEvent)
    answer = bodies[-1]
    assert isinstance(answer, schemas.Answer)
    assert answer.answer == "The second dome was repaired in March."
    assert "".join(body.text for body in bodies if isinstance(body, schemas.ReasoningEvent)) == answer.reasoning
    assert service.status().documents == 1


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
    *_, answer = service.ask(QUESTION, None, None, Filters(tags=("unknown",)))
    assert isinstance(answer, schemas.Answer)
    assert (answer.passages, answer.answerable) == ([], False)


def test_text_with_every_kind_of_line_end_arrives_whole(service: Service, folder: Path) -> None:
    (folder / "odd.md").write_text(ODD)
    service.sync(ignore)
    bodies = list(service.ask("Does the platypus lay eggs and swim?", None, 1))
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
        (InvalidRequest, lambda: list(service.ask("  ", None, None))),
        (RequestTooLarge, lambda: list(service.ask("?" * 5000, None, None))),
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


def test_interrupted_sync_ends_at_once(settings: Settings, folder: Path) -> None:
    settings = settings.model_copy(update={"settle_seconds": 60.0})
    knowledge_base = open_fake_knowledge_base(settings)
    (folder / "new.md").write_text("# New\n\nStill being written.\n")
    local = Local(knowledge_base, show_nothing, settings)
    threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        local.sync(ignore)
    local.close()
    assert time.monotonic() - began < 2


def test_failure_while_the_answer_streams_is_raised_as_what_it_was(settings: Settings, folder: Path) -> None:
    failing = FakeLanguageModel(fails=ModelBusy("8 questions wait", "ask again"))
    with serving(settings, folder, model=failing) as served:
        served.sync()
        with connect(settings, show_nothing) as service, pytest.raises(ModelBusy, match="8 questions wait") as raised:
            list(service.ask(QUESTION, None, None))
        assert raised.value.hint == "ask again"


def test_place_in_the_queue_is_told_to_who_asks_from_afar(
    settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Busy(FakeLanguageModel):
        def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
            yield from map(Heartbeat, (2, 1, 0))
            yield from super().stream(messages, options)

    with serving(settings, folder, model=Busy()) as served:
        served.sync()
        with connect(settings, show_nothing) as service:
            view = AnswerView(show_reasoning=False)
            for body in service.ask(QUESTION, None, None):
                view.show(body)
    shown = capsys.readouterr().err.splitlines()
    assert shown[1:4] == ["2 questions before yours", "1 question before yours", "it is your turn"]


def test_server_that_goes_away_is_an_error_and_no_traceback(settings: Settings, folder: Path) -> None:
    with serving(settings, folder) as served:
        remote = Remote(served.url, settings.token)
    with pytest.raises(KBError, match="does not answer"):
        remote.status()
    with pytest.raises(KBError, match="does not answer"):
        list(remote.ask(QUESTION, None, None))
    remote.close()


def test_wrong_token_is_told(settings: Settings, folder: Path) -> None:
    with serving(settings, folder), connect(settings.model_copy(update={"token": "wrong"}), show_nothing) as service:
        with pytest.raises(KBError) as raised:
            service.status()
        assert raised.value.code == "no_token"


def test_something_else_that_listens_there_is_told() -> None:
    with (
        listening(lambda request: request.send_error(404)) as url,
        closing(Remote(url, "")) as remote,
        pytest.raises(KBError, match="the server answered: "),
    ):
        remote.status()


def test_events_of_a_newer_server_are_passed_over() -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b'event: mood\ndata: {"smiles": 3}\n\nevent: answer\ndata: {"text": "In March."}\n\n')

    with listening(answer) as url, closing(Remote(url, "")) as remote:
        assert list(remote.ask("When?", None, None)) == [schemas.AnswerEvent(text="In March.")]


@contextmanager
def listening(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A web server that is not ours."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_address_left_by_a_server_that_was_killed_is_passed_over(settings: Settings) -> None:
    settings.home.mkdir()
    address = {"pid": 1, "url": "http://127.0.0.1:9"}  # a process that lives, and a port on which nobody listens
    (settings.home / ADDRESS_NAME).write_text(json.dumps(address))
    with connect(settings, show_nothing) as service:
        assert isinstance(service, Local)
        assert service.status().documents == 0


def test_data_directory_that_another_has_open_cannot_be_opened(settings: Settings) -> None:
    with (
        open_fake_knowledge_base(settings),
        pytest.raises(DataDirectoryLocked, match="has the data directory"),
        connect(settings, show_nothing),
    ):
        pass


def test_given_folders_come_before_those_set_and_those_of_the_last_time(settings: Settings, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (tmp_path / "link").symlink_to(given)
    with open_fake_knowledge_base(settings) as knowledge_base:
        knowledge_base.remember_folders([WatchedFolder("/before"), WatchedFolder("/after")])
        assert watched_folders(settings, knowledge_base, [tmp_path / "link"]) == (given,)
        assert watched_folders(settings, knowledge_base) == settings.folders
        assert watched_folders(settings.model_copy(update={"folders": ()}), knowledge_base) == (
            Path("/before"),
            Path("/after"),
        )


def test_folders_that_cannot_be_watched_are_refused_where_they_are_needed(settings: Settings, tmp_path: Path) -> None:
    nothing = settings.model_copy(update={"folders": ()})
    bad = tmp_path / b"b\xfccher".decode(errors="surrogateescape")
    bad.mkdir()
    with open_fake_knowledge_base(settings) as knowledge_base:
        assert watched_folders(nothing, knowledge_base, required=False) == ()
        with pytest.raises(SettingsError, match="no folder to watch"):
            watched_folders(nothing, knowledge_base)
        with pytest.raises(SettingsError, match="is not a folder"):
            watched_folders(settings, knowledge_base, [tmp_path / "missing"])
        with pytest.raises(SettingsError, match="not valid UTF-8"):
            watched_folders(settings, knowledge_base, [bad])


def test_questions_go_on_while_a_folder_is_away(settings: Settings, folder: Path) -> None:
    local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
    local.sync(ignore)
    local.close()
    folder.rename(folder.with_name("away"))
    local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
    assert local.status().folders == [schemas.Folder(path=str(folder), reachable=False)]
    assert local.search("dome", 1).passages[0].source == "dome.md"
    with pytest.raises(SettingsError, match="is not a folder"):
        local.sync(ignore)
    local.close()


def test_reindex_that_nobody_waits_for_is_done_with_the_next_sync(settings: Settings) -> None:
    def at_once() -> Local:
        return Local(open_fake_knowledge_base(settings), show_nothing, settings)

    local = at_once()
    local.sync(ignore)
    (before,) = local.documents().documents
    local.close()
    local = at_once()
    assert "kb sync" in local.start_reindex(embed=False).message
    local.close()
    local = at_once()
    local.sync(ignore)
    (after,) = local.documents().documents
    assert after.indexed_at > before.indexed_at
    local.close()


def test_what_was_forgotten_without_a_server_leaves_no_trace(settings: Settings, folder: Path) -> None:
    (folder / "diary.md").write_text("# Diary\n\nThe word is zyzzyvaquark.\n")
    for attempt in ("sync", "forget"):
        local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
        if attempt == "sync":
            local.sync(ignore)
        else:
            (found,) = (document for document in local.documents().documents if document.source == "diary.md")
            local.forget([found.id])
        local.close()
        stored = b"".join(path.read_bytes() for path in settings.home.rglob("*") if path.is_file())
        assert (b"zyzzyvaquark" in stored) is (attempt == "sync")


def test_failed_files_are_tried_again_at_the_user_s_word(settings: Settings, folder: Path) -> None:
    knowledge_base = open_fake_knowledge_base(settings)
    local = Local(knowledge_base, show_nothing, settings)
    local.sync(ignore)
    (document,) = knowledge_base.documents()
    knowledge_base.remove(document.id)
    knowledge_base.record_failure(document.file, "its reader ended", "", kind=FailureKind.QUARANTINED)
    local.close()
    for retry, documents in ((False, 0), (True, 1)):
        local = Local(open_fake_knowledge_base(settings), show_nothing, settings)
        assert local.sync(ignore, retry=retry).documents == documents
        local.close()
