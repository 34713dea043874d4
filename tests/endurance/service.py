"""The service in a process of its own, over real SQLite and real Chroma, so that it can be killed or can crash.

Only the embedding model is a fake; it writes down the hash of each text that it is given, in a file that outlives it.
"""

import contextlib
import hashlib
import multiprocessing
import os
import queue
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Collection, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from ingest.pipeline.pipeline import Pipeline
from kb.data_directory import CATALOG_NAME
from kb.knowledge_base import KnowledgeBase
from kb.ports import Vectors
from tests.endurance.running import SYNC_SECONDS, Running, knowledge_base_over_chroma
from tests.fakes import FakeEmbedder
from tests.harness import DEBOUNCE_SECONDS, quick_settings

OPEN_SECONDS = 60.0
LISTING_SECONDS = 0.02

_PROCESSES = multiprocessing.get_context("forkserver")
# What takes long to import is imported once, and not opened yet.
_PROCESSES.set_forkserver_preload(["chromadb.api.client", "fastapi", "uvicorn", "pytest"])

Listing = dict[str, str]
"""SHA-256 of each listed document, by path below the folder."""


class LoggingEmbedder(FakeEmbedder):
    """Writes down what it embeds before it gives anything back."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        hashes = (hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts)
        os.write(self._file, "".join(f"{key}\n" for key in hashes).encode())
        return super().embed_passages(texts)


class Service:
    """A running service, seen from the parent.

    Args:
        home: Data directory.
        folder: To watch.
        log: The hashes of the embedded texts are added to it, one a line.

    Attributes:
        found: The documents that were there when it was opened, before it looked at the folder.
        listed: The documents that it listed last.
    """

    def __init__(self, home: Path, folder: Path, log: Path) -> None:
        self.found: Listing = {}
        self.listed: Listing = {}
        self._opened = threading.Event()
        self._ended = threading.Event()
        self._replies: queue.Queue[Any] = queue.Queue()
        self._connection, childs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_serve, args=(childs, home, folder, log), daemon=True)
        self._process.start()
        childs.close()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def has_opened(self) -> bool:
        """Whether it came so far that documents could be listed."""
        return self._opened.is_set() and not self._ended.is_set()

    def wait_until_open(self) -> None:
        """Waits until documents can be listed.

        Raises:
            AssertionError: It did not come so far.
        """
        self._opened.wait(OPEN_SECONDS)
        assert self.has_opened, f"the service did not open (exit code {self._process.exitcode})"

    def differences(self, words: Collection[str] = ()) -> list[str]:
        """Has it sync, and compares what it lists, finds and stores with the folder."""
        self.wait_until_open()
        self._connection.send(list(words))
        reply = self._replies.get(timeout=SYNC_SECONDS)
        assert reply is not None, f"the service ended with exit code {self._process.exitcode}"
        found: list[str] = reply
        return found

    def kill(self) -> None:
        """Ends it with SIGKILL; afterwards `listed` holds the last thing it said."""
        self._process.kill()
        self._process.join()
        self._listener.join()
        self._connection.close()

    def _listen(self) -> None:
        # A killed child may leave half a message.
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, value = self._connection.recv()
                if kind == "reply":
                    self._replies.put(value)
                    continue
                self.listed = value
                if not self._opened.is_set():
                    self.found = value
                    self._opened.set()
        self._process.join()
        self._replies.put(None)
        if not self._opened.is_set():
            self._ended.set()
            self._opened.set()


def committed_embeddings(home: Path) -> set[str]:
    """The hashes of the texts whose embeddings are in the catalog of a service that is not running.

    They are read from a copy, so that the service itself finds what it left.
    """
    with tempfile.TemporaryDirectory() as copy:
        for path in home.glob(f"{CATALOG_NAME}*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, copy)
        connection = sqlite3.connect(Path(copy, CATALOG_NAME))
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'embeddings'").fetchone():
                return set()
            return {row[0] for row in connection.execute("SELECT text_hash FROM embeddings")}
        finally:
            connection.close()


def _serve(connection: Connection, home: Path, folder: Path, log: Path) -> None:
    sending = threading.Lock()

    def send(kind: str, value: object) -> None:
        with sending:
            connection.send((kind, value))

    with knowledge_base_over_chroma(quick_settings(home), LoggingEmbedder(log)) as (knowledge_base, stores):
        send("listing", _listing(knowledge_base))
        threading.Thread(target=_keep_listing, args=(knowledge_base, send), daemon=True).start()
        pipeline = Pipeline(knowledge_base, [folder], quick_settings(home), debounce_seconds=DEBOUNCE_SECONDS)
        pipeline.start()
        service = Running(knowledge_base, pipeline, folder, stores=stores)
        while True:
            send("reply", service.differences(connection.recv()))


def _keep_listing(knowledge_base: KnowledgeBase, send: Callable[[str, object], None]) -> None:
    while True:
        send("listing", _listing(knowledge_base))
        threading.Event().wait(LISTING_SECONDS)


def _listing(knowledge_base: KnowledgeBase) -> Listing:
    return {document.file.source: document.file.sha256 for document in knowledge_base.documents()}
