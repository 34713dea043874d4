"""The whole service in a process of its own, as `kb serve` runs it, for measurements through its door."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kb.data_directory import find_owner
from kb.errors import KBError
from kb.values.answers import AskOptions
from server.client.remote import Remote
from server.http import schemas
from server.serving import serve_until_stopped
from server.settings import ServerSettings

POLL_SECONDS = 0.1

AT_ONCE = AskOptions(thinking="off")


@dataclass(frozen=True, slots=True)
class Served:
    """A running service.

    Attributes:
        client: Talks to it.
        url: Where it listens.
        pid: Of its process.
    """

    client: Remote
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that came, and when.

    Attributes:
        first_seconds: From the question to the first text of the answer.
        last_seconds: To the last text; what comes then is judged.
        seconds: To the whole answer.
    """

    answer: schemas.Answer
    first_seconds: float
    last_seconds: float
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        """How fast the answer was written, after its first token."""
        written = self.last_seconds - self.first_seconds
        return (self.answer.timings.answer_tokens - 1) / written if written else 0.0


@contextmanager
def served(settings: ServerSettings, home: Path, folders: Sequence[Path]) -> Iterator[Served]:
    """Starts the service, on a free port and without a token, and stops it after the block.

    Args:
        settings: The user's own.
        home: Its data directory.

    Raises:
        KBError: It ends at once.
    """
    own = {"home": home, "folders": (), "host": "127.0.0.1", "port": 0, "token": "", "settle_seconds": 0.0}
    process = multiprocessing.get_context("spawn").Process(
        target=_serve,
        args=(settings.model_copy(update=own), [folder.resolve() for folder in folders]),
    )
    process.start()
    try:
        while (owner := find_owner(home)) is None:
            if process.exitcode is not None:
                raise KBError("the service has ended", "what it said stands above")
            time.sleep(POLL_SECONDS)
        with closing(Remote(owner.url, "")) as client:
            yield Served(client, owner.url, owner.pid)
    finally:
        process.terminate()
        process.join()


def _serve(settings: ServerSettings, folders: Sequence[Path]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve_until_stopped(settings, folders)


def _end_with_parent() -> None:
    """A measurement that is killed leaves nothing running."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def wait_until_at_rest(client: Remote) -> None:
    """Waits until models are loaded and all files are indexed.

    Raises:
        KBError: A model is not to be had.
    """
    while True:
        status = client.status()
        models = status.models.answer, status.models.embedding
        if failed := next((model.error for model in models if model.error), None):
            raise KBError(failed.message, failed.hint)
        if all(model.state == "ready" for model in models) and status.index.last_sync and not status.index.pending:
            return
        time.sleep(POLL_SECONDS)


def ask(client: Remote, question: str) -> Asked:
    """Asks one question, thinking off.

    Raises:
        KBError: It is not answered.
    """
    began = time.perf_counter()
    texts: list[float] = []
    for event in client.ask(question, options=AT_ONCE):
        now = time.perf_counter() - began
        if isinstance(event, schemas.AnswerEvent) and event.text.strip():
            texts.append(now)
        if isinstance(event, schemas.Answer):
            first, last = (texts[0], texts[-1]) if texts else (now, now)
            return Asked(event, first, last, now)
    raise AssertionError("a stream of events ends with the whole answer")
