"""A child process that works on files one at a time, because a reader may hang, eat memory or crash on a broken one.

Requests and replies are lines of JSON over pipes, so that nothing a child writes can run code here. Whatever happens to
the child, the caller gets a reply or a reason in plain words, and the next file gets a sound child. Knows nothing of
what is asked.
"""

import json
import threading
from collections.abc import Mapping

import psutil

from ingest.sandbox.wire import READY
from kb import children
from kb.children import Child, ChildNotStarted
from kb.errors import KBError, UnreadableFile
from kb.observing import Observe, unobserved
from kb.values.happenings import ChildRestarted

CRASH_HINT = "the file is probably broken: open it elsewhere and save it again"

MAX_RESIDENT_BYTES = 150_000_000
_START_SECONDS = 60.0
_EXIT_SECONDS = 2.0


class ParserUnavailable(KBError):
    """The parser is closed, or the system cannot start a child; this says nothing about the file."""

    code = "parser_unavailable"


class ReaderDied(UnreadableFile):
    """The file ended its reader, or had to be given up; next time it may go better, or not."""

    code = "reader_died"


class ReaderTooSlow(ReaderDied):
    """The file took longer than it may."""


class SandboxProcess:
    """A child process for files, one at a time; it is started by the first request and replaced when need be.

    Args:
        max_reply_bytes: A child that answers with more is given up.
        files_per_child: After so many requests the child is replaced, so that leaks of the libraries do not add up.
        max_resident_bytes: It is replaced, too, when it keeps more memory than that.
        observe: Is told when a file has ended the child.
    """

    def __init__(
        self,
        max_reply_bytes: int,
        files_per_child: int,
        max_resident_bytes: int = MAX_RESIDENT_BYTES,
        observe: Observe = unobserved,
    ) -> None:
        self._observe = observe
        self._max_reply_bytes = max_reply_bytes
        self._files_per_child = files_per_child
        self._max_resident_bytes = max_resident_bytes
        self._turn = threading.Lock()
        self._state = threading.Lock()  # guards the two below, which close() touches from other threads
        self._child: Child | None = None
        self._closed = False
        self._files_read = 0

    def ask(self, request: Mapping[str, object], seconds: float) -> bytes:
        """Sends a request and waits for its reply; threads that call it at the same time wait for each other.

        Args:
            request: See `ingest.sandbox.main`.
            seconds: Wall-clock limit; starting the child does not count.

        Returns:
            A line of JSON.

        Raises:
            ReaderDied: The file crashed the child, or took longer than it may (`ReaderTooSlow`).
            ParserUnavailable: `close` was called before or meanwhile, or no child can be started.
        """
        with self._turn:
            child = self._sound_child()
            reply, expired = _exchange(child, json.dumps(request).encode() + b"\n", seconds, self._max_reply_bytes)
            self._files_read += 1
            if not reply.endswith(b"\n"):
                raise self._failure(child, expired, seconds)
            is_spent = self._files_read >= self._files_per_child or _resident_bytes(child) > self._max_resident_bytes
            if expired or is_spent:
                self._discard()
        return reply

    def close(self) -> None:
        """Ends the child for good, and with it, within moments, an `ask` that runs in another thread."""
        with self._state:
            self._closed = True
            if self._child:
                self._child.kill()
        with self._turn:
            self._discard()

    def _sound_child(self) -> Child:
        if self._child and self._child.poll() is None:
            return self._child
        self._discard()
        with self._state:
            if self._closed:
                raise ParserUnavailable("the parser is closed")
            try:
                self._child = child = children.start("ingest.sandbox.main", has_pipes=True)
            except ChildNotStarted as error:
                raise ParserUnavailable(f"no file can be read: {error.message}", error.hint) from error
        self._files_read = 0
        greeting, _ = _exchange(child, b"", _START_SECONDS, len(READY))
        if greeting != READY:
            self._discard()
            raise ParserUnavailable(
                "no reader can be started", "try `python -m ingest.sandbox.main` and see what it says"
            )
        return child

    def _failure(self, child: Child, expired: bool, seconds: float) -> KBError:
        status = children.wait(child, _EXIT_SECONDS)
        self._discard()
        if self._closed:
            return ParserUnavailable("the parser was closed while it read a file")
        self._observe(ChildRestarted("reader"))
        if expired:
            return ReaderTooSlow(f"took longer than {seconds:g} s to read", "raise KB_PARSE_SECONDS, or split the file")
        if status is None:
            return ReaderDied("crashed the reader: it gave back too much", CRASH_HINT)
        hint = "free some memory and try again" if children.was_killed(status) else CRASH_HINT
        return ReaderDied(f"the reader {children.describe_end(status)}", hint)

    def _discard(self) -> None:
        """Ends the child, if there is one; only the thread whose turn it is may do so."""
        with self._state:
            child, self._child = self._child, None
        if child:
            children.end(child)


def _exchange(child: Child, line: bytes, seconds: float, max_bytes: int) -> tuple[bytes, bool]:
    """Sends a line and waits for one, which has no line end if the child ended; says too whether the time was up."""
    assert child.stdin
    assert child.stdout
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        child.kill()

    timer = threading.Timer(seconds, expire)
    timer.start()
    try:
        child.stdin.write(line)
        child.stdin.flush()
        reply = child.stdout.readline(max_bytes)
    except BrokenPipeError:
        reply = b""
    finally:
        timer.cancel()
        timer.join()  # else it might still kill the child while that reads the next file
    return reply, expired.is_set()


def _resident_bytes(child: Child) -> int:
    try:
        return int(psutil.Process(child.pid).memory_info().rss)
    except psutil.Error:
        return 0
