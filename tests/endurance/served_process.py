"""`kb serve` as a process, and threads that ask it, look at it and weigh it for as long as it is watched."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.harness import eventually

KB_SERVE = ("-m", "server", "serve", "--port", "0")
START_SECONDS = 120.0
REQUEST_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_WEIGH_SECONDS = 0.05
_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class ServedProcess:
    """A running service.

    Attributes:
        log: Takes what it prints.
    """

    process: subprocess.Popen[bytes]
    log: Path
    client: httpx.Client

    def get(self, path: str) -> Any:
        """What a route answers."""
        return self.client.get(path).raise_for_status().json()

    def post(self, path: str, **body: object) -> Any:
        """What a route answers."""
        return self.client.post(path, json=body).raise_for_status().json()

    def stop(self) -> float:
        """Sends SIGTERM; how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(REQUEST_SECONDS)
        return time.monotonic() - began


@contextmanager
def serving_process(
    folder: Path, environment: Mapping[str, str], log: Path, command: Sequence[str] = KB_SERVE
) -> Iterator[ServedProcess]:
    """Starts the service on a folder and a free port; it is killed where the block ends, if it has not been stopped.

    Args:
        command: Of Python, before the folder.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, str(folder)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, "COLUMNS": "1000"},
        )
    try:
        assert eventually(lambda: _url(log) or process.poll() is not None, START_SECONDS)
        url = _url(log)
        assert url, log.read_text(errors="replace")
        with httpx.Client(base_url=url, timeout=REQUEST_SECONDS, trust_env=False) as client:
            served = ServedProcess(process, log, client)
            assert eventually(lambda: _is_up(served), START_SECONDS), "it does not answer"
            yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _url(log: Path) -> str:
    found = _URL.search(log.read_text(errors="replace"))
    return found[0] if found else ""


def _is_up(served: ServedProcess) -> bool:
    try:
        return bool(served.get("/status")["models"]["embedding"]["state"] == "ready")
    except httpx.TransportError:
        return False


@dataclass
class Observed:
    """What was seen of a service.

    Attributes:
        seconds: Of each answer, by the route.
        wrong: What was asked in vain.
        peak_bytes: The most memory of all its processes at one time, without what they have mapped of files.
        peak_of: The same of the service itself and, added, of all its children, each at its own time.
        current_seconds: How long each file was the one in work.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    peak_bytes: int = 0
    peak_at: str = ""
    peak_of: Counter[str] = field(default_factory=Counter)
    current_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    current: str = ""

    def lines(self) -> Iterator[str]:
        """The figures, for people."""
        for route, seconds in self.seconds.items():
            ordered = sorted(seconds)
            middle, late = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
            yield f"{route}: {len(ordered)} times, median {middle:.3f} s, 99 % {late:.3f} s, worst {ordered[-1]:.3f} s"
        parts = ", ".join(f"{name} {count / 1e6:.0f} MB" for name, count in self.peak_of.items())
        yield f"peak {self.peak_bytes / 1e6:.0f} MB at {self.peak_at!r} ({parts})"
        for name, seconds_in_work in sorted(self.current_seconds.items(), key=lambda item: -item[1])[:15]:
            yield f"in work {seconds_in_work:.1f} s: {name!r}"


@contextmanager
def observing(served: ServedProcess, ask: Callable[[ServedProcess], tuple[str, str | None]]) -> Iterator[Observed]:
    """Asks and looks all the time, until the block ends.

    Args:
        ask: Asks one question; gives the route, and what was wrong with the answer, if anything was.
    """
    seen, is_over, process = Observed(), threading.Event(), psutil.Process(served.process.pid)

    def look(pause: float, once: Callable[[], None]) -> None:
        while not is_over.wait(pause):
            try:
                once()
            except (httpx.HTTPError, psutil.Error, ValueError, KeyError) as error:
                if not isinstance(error, psutil.NoSuchProcess):
                    seen.wrong.append(f"{time.strftime('%H:%M:%S')} at {seen.current!r}: {error!r}")

    def ask_once() -> None:
        began = time.monotonic()
        route, wrong = ask(served)
        seen.seconds[route].append(time.monotonic() - began)
        if wrong:
            seen.wrong.append(f"{route} at {seen.current!r}: {wrong}")

    def poll() -> None:
        for route in ("/status", "/healthz"):
            began = time.monotonic()
            answer = served.client.get(route)
            seen.seconds[route].append(time.monotonic() - began)
            if route == "/status":
                seen.current_seconds[seen.current] += time.monotonic() - last[0] if seen.current else 0
                last[0] = time.monotonic()
                seen.current = answer.raise_for_status().json()["index"]["current"] or ""

    def weigh() -> None:
        own = _own_bytes(process)
        childrens = sum(map(_own_bytes, process.children(recursive=True)))
        seen.peak_of |= Counter({"service": own, "children": childrens})
        if own + childrens > seen.peak_bytes:
            seen.peak_bytes, seen.peak_at = own + childrens, seen.current

    last = [time.monotonic()]
    works = ((0.0, ask_once), (_LOOK_SECONDS, poll), (_WEIGH_SECONDS, weigh))
    threads = [threading.Thread(target=look, args=work) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _own_bytes(process: psutil.Process) -> int:
    """Resident memory that is no part of a file: model files are mapped, and belong to whoever else maps them, too.

    Unlike USS and PSS this costs nothing, and nothing waits for it.
    """
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))
