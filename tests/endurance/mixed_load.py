"""Clients that do at random what clients do: search, ask, upload, delete, leave in the middle, and send nonsense."""

import itertools
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.endurance.comparing import Words

CLIENTS = 8
FILES = 60
"""So many there are about; where there are more, some are deleted."""

QUESTION = "How many otters were seen?"
_OK, _BUSY = 200, 429
_SILENCE_SECONDS = 10.0

BAD_REQUESTS: tuple[tuple[str, str, dict[str, object], Collection[int]], ...] = (
    ("POST", "/search", {"content": b"{"}, {422}),
    ("POST", "/search", {"json": {"query": ""}}, {400}),
    ("POST", "/search", {"json": {"query": "x" * 5000}}, {413}),
    ("POST", "/search", {"json": {"query": "dome", "top_k": 51}}, {422}),
    ("POST", "/search", {"json": {"query": "dome", "filters": {"since": "2026-02-31"}}}, {422}),
    ("POST", "/ask", {"json": {"question": "\0"}}, {422}),
    ("POST", "/ask", {"json": {"question": "dome", "history": [{"question": "a", "answer": "b"}] * 51}}, {422}),
    ("POST", "/ask", {"content": b" " * 1_100_000}, {413}),
    ("POST", "/documents", {"files": {"files": ("odd.exe", b"MZ")}}, {415}),
    ("POST", "/documents", {"files": {"files": ("a\u202eb.md", b"text")}}, {400}),
    ("GET", "/documents?cursor=nonsense", {}, {400}),
    ("GET", "/documents/none", {}, {404}),
    ("DELETE", "/documents/none", {}, {404}),
    ("GET", "/static/%2e%2e/app.py", {}, {404}),
    ("GET", "/nowhere", {}, {404}),
    ("PUT", "/ask", {}, {405}),
    ("GET", "/status", {"headers": {"host": "elsewhere.example"}}, {403}),
    ("GET", "/status", {"headers": {"origin": "https://elsewhere.example"}}, {403}),
    ("GET", "/status", {"headers": {"x-long": "x" * 40_000}}, {431}),
)
"""Each with what the service may answer."""


class MixedLoad:
    """Sends requests from several threads at an even pace.

    Args:
        url: Of the service.
        folder: Which it watches.
        seconds: How long all of it takes, where the service keeps up.

    Attributes:
        answers: How often each thing that clients do was answered how; 0: the client left.
        wrong: What was not answered, or not as it should be.
        words: All that were ever written.
    """

    def __init__(self, url: str, folder: Path, count: int, seconds: float, seed: int) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self._url, self._folder = url, folder
        self._count, self._seconds = count, seconds
        self._numbers = itertools.count()
        self._makers = [Words(random.Random(seed * CLIENTS + client)) for client in range(CLIENTS)]

    @property
    def words(self) -> list[str]:
        return [word for maker in self._makers for word in maker.made]

    def run(self) -> None:
        """Sends all of them."""
        began = time.monotonic()
        threads = [threading.Thread(target=self._work, args=(words, began)) for words in self._makers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, words: Words, began: float) -> None:
        with httpx.Client(base_url=self._url, timeout=60.0, trust_env=False) as http:
            client = _Client(http, self._folder, words)
            while (number := next(self._numbers)) < self._count:
                time.sleep(max(0.0, began + number * self._seconds / self._count - time.monotonic()))
                name, do, allowed = client.choose()
                try:
                    status = do()
                except (httpx.HTTPError, OSError, AssertionError) as error:
                    self.wrong.append(f"{name}: {error!r}")
                    continue
                self.answers[name, status] += 1
                if status not in allowed:
                    self.wrong.append(f"{name}: {status}")


class _Client:
    """What one of them does. Each gives the status of the response, 0 where it left before."""

    def __init__(self, http: httpx.Client, folder: Path, words: Words) -> None:
        self._http, self._folder, self._words = http, folder, words
        self._dice = random.Random(words.word())
        self._kinds: dict[str, tuple[Callable[[], int], Collection[int], int]] = {
            "search": (self.search, {_OK}, 34),
            "ask": (self.ask, {_OK, _BUSY}, 12),
            "ask, streamed": (self.stream, {_OK, _BUSY}, 8),
            "ask, and leave": (self.stream_and_leave, {0, _BUSY}, 6),
            "upload": (self.upload, {201}, 10),
            "upload, and leave": (self.upload_and_leave, {0}, 2),
            "look": (self.look, {_OK, 404}, 14),
            "nonsense": (self.send_nonsense, {0, 400}, 2),
            "delete": (self.delete, {0}, 3),
            "forget": (self.forget, {_OK, 404}, 3),
        }

    def choose(self) -> tuple[str, Callable[[], int], Collection[int]]:
        """What is done next: its name, and what may come of it."""
        if self._dice.random() < 0.06:
            method, path, content, allowed = self._dice.choice(BAD_REQUESTS)
            return f"bad: {method} {path}", lambda: self._send(method, path, **content), allowed
        if len(self._files()) > FILES:
            name = "delete"
        else:
            (name,) = self._dice.choices(list(self._kinds), [weight for *_, weight in self._kinds.values()])
        return name, *self._kinds[name][:2]

    def search(self) -> int:
        return self._send("POST", "/search", json={"query": self._dice.choice(self._words.made)})

    def ask(self) -> int:
        return self._send("POST", "/ask", json={"question": QUESTION})

    def stream(self) -> int:
        with self._http.stream("POST", "/ask", json={"question": QUESTION, "stream": True}) as response:
            lines = [line for line in response.iter_lines() if line.startswith("event:")]
        assert lines[-1] == "event: done" or '"busy"' in lines[-1] or response.status_code != _OK, lines
        return response.status_code

    def stream_and_leave(self) -> int:
        with self._http.stream("POST", "/ask", json={"question": QUESTION, "stream": True}) as response:
            next(response.iter_raw())
        return 0 if response.status_code == _OK else response.status_code

    def upload(self) -> int:
        name = f"{self._words.word()}{self._dice.choice(('.md', '.txt'))}"
        text = self._words.text(self._dice.randint(1, 6))
        return self._send("POST", "/documents", files={"files": (name, text.encode())})

    def upload_and_leave(self) -> int:
        head = b"POST /documents HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n"
        self._speak(head + b"content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\n" + b"y" * 1000)
        return 0

    def send_nonsense(self) -> int:
        answer = self._speak(self._dice.randbytes(200) + b"\r\n\r\n", wait=True)
        return int(answer.split()[1]) if answer else 0

    def look(self) -> int:
        ids = [each["id"] for each in self._http.get("/documents?limit=5").json()["documents"]]
        paths = [
            "/status",
            "/healthz",
            "/documents",
            "/metrics",
            "/v1/models",
            "/",
            *(f"/documents/{each}" for each in ids),
        ]
        return self._send("GET", self._dice.choice(paths))

    def delete(self) -> int:
        for path in self._a_file():
            path.unlink(missing_ok=True)
        return 0

    def forget(self) -> int:
        for path in self._a_file():
            listed = self._http.get("/documents").json()["documents"]
            ids = [each["id"] for each in listed if each["source"] == path.name]
            status = self._send("DELETE", f"/documents/{ids[0] if ids else 'none'}")
            path.unlink(missing_ok=True)
            return status
        return 404

    def _send(self, method: str, path: str, **content: object) -> int:
        return self._http.request(method, path, **content).status_code  # type: ignore[arg-type]

    def _speak(self, data: bytes, *, wait: bool = False) -> bytes:
        address = urlsplit(str(self._http.base_url))
        with socket.create_connection((address.hostname, address.port or 80), _SILENCE_SECONDS) as connection:
            connection.sendall(data)
            try:
                return connection.recv(1000) if wait else b""
            except ConnectionResetError:  # it was refused before all of it was read
                return b""

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if not path.name.startswith(".")]

    def _a_file(self) -> list[Path]:
        files = self._files()
        return [self._dice.choice(files)] if files else []
