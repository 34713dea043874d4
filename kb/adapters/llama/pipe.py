"""A child process that answers numbered requests, each a line of its own, as its parent sees it, from start to end.

Knows nothing of what is asked; what replies mean is told by a function that reads them. Invariant: whoever waits for
something gets it, or an error as soon as the process has ended, however that comes about.
"""

import contextlib
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import IO, Generic, TypeVar

from kb import children, observing
from kb.adapters.llama.wire import LOADING, LogLine
from kb.children import Child, ChildNotStarted
from kb.errors import KBError, ModelError, ModelLoadError

logger = logging.getLogger(__name__)

Reply = TypeVar("Reply")
Info = TypeVar("Info")

_EXIT_SECONDS = 2.0


class ChildPipe(Generic[Reply, Info]):
    """A running child; the model that it runs is being loaded.

    Args:
        module: What the child runs.
        what: What it is called where something is said of it, for example `the answering model tiny`.
        first_line: Has it load a model; the reply to that has the number `LOADING`.
        decode: Reads a line of the child. Raises: ValueError, KeyError, TypeError: it is none.
        goes_on: Whether more replies to the same request come after one.
        info: The type of what it tells of a model that is loaded.
        hints: What to do if it ends while its model is being loaded, and what if it ends later.

    Attributes:
        ended: When; `time.monotonic`.

    Raises:
        ModelLoadError: The system cannot start a process.
    """

    def __init__(
        self,
        module: str,
        what: str,
        first_line: bytes,
        decode: Callable[[bytes], tuple[int, Reply | LogLine | KBError]],
        goes_on: Callable[[Reply | KBError], bool],
        info: type[Info],
        hints: tuple[str, str],
    ) -> None:
        self._what, self._decode, self._goes_on, self._hints = what, decode, goes_on, hints
        self._info, self._loaded = info, Future[Info]()
        self._numbers = itertools.count(LOADING + 1)
        self._waiting: dict[int, Callable[[Reply | KBError], None]] = {LOADING: self._set_loaded}
        self._reason = ""  # why it has ended; empty while it has not
        self._state = threading.Lock()  # guards the two above
        self._turn = threading.Lock()  # of who writes to the child
        self._ended_by_us = ""  # and why
        self.ended = 0.0
        self._process = _start(module, what)
        self._reader = threading.Thread(target=self._receive, name="kb-llm-replies", daemon=True)
        self._reader.start()
        self._send(first_line)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return bool(self._reason)

    def info(self, timeout_seconds: float | None = None) -> Info | None:
        """Waits until the model is loaded.

        Returns:
            None if it did not load in time.

        Raises:
            ModelError: It could not be loaded, or the process has ended.
        """
        try:
            return self._loaded.result(timeout_seconds)
        except TimeoutError:
            return None
        except KBError as error:
            raise error.again() from None

    def failure(self) -> KBError:
        """What became of it: why the model did not load, or how the process ended."""
        error = self._loaded.exception() if self._loaded.done() else None
        return error if isinstance(error, KBError) else self._death(self._reason)

    def ask(self, encode: Callable[[int], bytes], take: Callable[[Reply | KBError], None]) -> int:
        """Sends a request.

        Args:
            encode: Writes the line, given its number.
            take: Called from another thread with each reply, and with an error if the process ends before.

        Returns:
            The number of the request.

        Raises:
            ModelError: The process has ended.
        """
        number = next(self._numbers)
        with self._state:
            if self._reason:
                raise self._death(self._reason)
            self._waiting[number] = take
        self._send(encode(number))
        return number

    def tell(self, encode: Callable[[int], bytes], number: int | None = None) -> None:
        """Sends what nobody waits for.

        Args:
            number: Of an earlier request, of which nothing more is heard; None: a new one.
        """
        if number is not None:
            with self._state:
                self._waiting.pop(number, None)
        self._send(encode(next(self._numbers) if number is None else number))

    def call(self, encode: Callable[[int], bytes], seconds: float) -> Reply:
        """Sends a request and waits for its one reply.

        Args:
            seconds: After so long the process hangs, and is ended.

        Raises:
            KBError: What the child says went wrong, or that the process has ended.
        """
        answer: queue.SimpleQueue[Reply | KBError] = queue.SimpleQueue()
        self.ask(encode, answer.put)
        try:
            reply = answer.get(timeout=seconds)
        except queue.Empty:
            self.give_up()
            reply = answer.get()
        if isinstance(reply, KBError):
            raise reply
        return reply

    def give_up(self) -> None:
        """Ends a process that hangs; who waits for it gets an error."""
        self._end("did not move any more and was ended")

    def close(self) -> None:
        """Ends the process at once."""
        self._end("is closed")
        self._reader.join(_EXIT_SECONDS)

    def _end(self, why: str) -> None:
        self._ended_by_us = why
        self._process.kill()

    def _send(self, line: bytes) -> None:
        # If it is gone, the reader tells everyone who waits.
        with self._turn, contextlib.suppress(OSError, ValueError):
            stdin = _pipe(self._process.stdin)
            stdin.write(line)
            stdin.flush()

    def _receive(self) -> None:
        try:
            with _pipe(self._process.stdout) as replies:
                for line in replies:
                    self._hand_over(*self._decode(line))
        except (ValueError, KeyError, TypeError) as error:
            logger.error("the process of %s said what cannot be understood (%s)", self._what, type(error).__name__)
        self._process.kill()  # whatever still runs of it has nobody to talk to, and whoever writes to it is let go
        with self._turn:
            status = children.end(self._process)
        reason = self._ended_by_us or children.describe_end(status)
        self.ended = time.monotonic()
        with self._state:
            self._reason = reason
            waiting, self._waiting = self._waiting, {}
        for take in waiting.values():
            take(self._death(reason))

    def _set_loaded(self, reply: Reply | KBError) -> None:
        if isinstance(reply, self._info):
            self._loaded.set_result(reply)
        else:
            assert isinstance(reply, KBError)
            self._loaded.set_exception(reply)

    def _death(self, reason: str) -> ModelError:
        message, (while_loading, later) = f"the process of {self._what} {reason}", self._hints
        if self._loaded.done() and not self._loaded.exception():
            return ModelError(message, later)
        return ModelLoadError(f"{message} while it was being loaded", while_loading)

    def _hand_over(self, number: int, reply: Reply | LogLine | KBError) -> None:
        if isinstance(reply, LogLine):
            observing.request_id.set(reply.request_id)
            logging.getLogger(reply.logger).log(reply.level, "%s", reply.text)
            return
        with self._state:
            take = self._waiting.get(number) if self._goes_on(reply) else self._waiting.pop(number, None)
        if take:
            take(reply)


def _start(module: str, what: str) -> Child:
    try:
        return children.start(module, has_pipes=True)
    except ChildNotStarted as error:
        kind = what.rsplit(" ", 1)[0]
        raise ModelLoadError(f"{kind} cannot be loaded: {error.message}", error.hint) from error


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe
    return pipe
