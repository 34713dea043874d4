import contextlib
import http.server
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kb.errors import (
    KBError,
    ModelBusy,
)
from kb.settings import Settings
from kb.values.chat import Generated, GenerationOptions, Heartbeat, Message
from server.client.connection import connect
from server.client.remote import Remote
from server.http import schemas
from server.terminal.answers import AnswerView
from tests.fakes import FakeLanguageModel
from tests.harness import serving
from tests.server.client.watching import QUESTION, show_nothing


def test_failure_while_the_answer_streams_is_raised_as_what_it_was(settings: Settings, folder: Path) -> None:
    failing = FakeLanguageModel(fails=ModelBusy("8 questions wait", "ask again"))
    with serving(settings, folder, model=failing) as served:
        served.sync()
        with connect(settings, show_nothing) as service, pytest.raises(ModelBusy, match="8 questions wait") as raised:
            list(service.ask(QUESTION))
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
            for body in service.ask(QUESTION):
                view.show(body)
    shown = capsys.readouterr().err.splitlines()
    assert shown[1:4] == ["2 questions before yours", "1 question before yours", "it is your turn"]


def test_server_that_goes_away_is_an_error_and_no_traceback(settings: Settings, folder: Path) -> None:
    with serving(settings, folder) as served:
        remote = Remote(served.url, settings.token)
    with pytest.raises(KBError, match="does not answer"):
        remote.status()
    with pytest.raises(KBError, match="does not answer"):
        list(remote.ask(QUESTION))
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
        assert next(remote.ask("When?")) == schemas.AnswerEvent(text="In March.")


ODD_REPLIES = [b"", b"<html>hello</html>", b"{}", b"[1, 2]", b'{"version": 3}', b"\xff\xfe\x00", b"nul", b"[" * 100_000]


@pytest.mark.parametrize("body", ODD_REPLIES, ids=range(len(ODD_REPLIES)))
def test_reply_that_is_none_of_ours_is_told(body: bytes) -> None:
    with listening(replying(body)) as url, closing(Remote(url, "")) as remote:
        for ask in (remote.status, remote.documents, lambda: remote.search("why", None)):
            with pytest.raises(KBError, match="does not answer as r1-kb does") as raised:
                ask()
            assert raised.value.hint


@pytest.mark.parametrize("data", [*ODD_REPLIES[:-1], b'{"text": 3}'], ids=range(len(ODD_REPLIES)))
def test_event_that_is_none_of_ours_is_told(data: bytes) -> None:
    body = b"event: answer\ndata: " + data + b"\n\n"
    with listening(replying(body)) as url, closing(Remote(url, "")) as remote:
        with pytest.raises(KBError) as raised:
            list(remote.ask("When?"))
        assert raised.value.hint


@pytest.mark.parametrize(
    "body", [b"", b": working\n\n", b'event: answer\ndata: {"text": "In"}\n\n', b"hello", b"\xff\n"]
)
def test_answer_that_breaks_off_is_an_error(body: bytes) -> None:
    with listening(replying(body)) as url, closing(Remote(url, "")) as remote, pytest.raises(KBError) as raised:
        list(remote.ask("When?"))
    assert raised.value.hint


@pytest.mark.parametrize("piece", [b"x", b"x\n", b'event: answer\ndata: {"text": "x"}\n\n'])
def test_reply_without_an_end_is_not_kept(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.client.remote.MAX_REPLY_BYTES", 1_000_000)
    block = piece * (100_000 // len(piece))

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(ConnectionError):
            while True:
                request.wfile.write(block)

    with listening(answer) as url, closing(Remote(url, "")) as remote:
        with pytest.raises(KBError, match="does not answer as r1-kb does"):
            remote.status()
        if b"\n" not in piece:
            with pytest.raises(KBError, match="does not answer as r1-kb does"):
                list(remote.ask("When?"))


def test_line_without_an_end_is_told_soon() -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(ConnectionError):
            while True:
                request.wfile.write(b"x" * 100_000)

    with (
        listening(answer) as url,
        closing(Remote(url, "")) as remote,
        pytest.raises(KBError, match="does not answer as r1-kb does"),
    ):
        list(remote.ask("When?"))


def replying(body: bytes) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(body)

    return answer


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
