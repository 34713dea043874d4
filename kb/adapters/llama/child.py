"""One child process that runs a language model (`kb.adapters.llama.main`), as its parent sees it, from start to end.

Knows nothing of starting it again: that is `kb.adapters.llama.process`. Invariant: whoever waits for something gets
it, or an error as soon as the process has ended, however that comes about.
"""

import contextlib
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import IO

from kb import children, observing
from kb.adapters.llama.wire import (
    LOADING,
    CountTokens,
    FromChild,
    Generate,
    LogLine,
    ModelSpec,
    PromptTokens,
    ReadAhead,
    ToChild,
    Withdraw,
    decode_reply,
    encode_request,
    encode_spec,
)
from kb.children import Child, ChildNotStarted
from kb.errors import KBError, ModelError, ModelLoadError
from kb.generation.replies import Deliver
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, LanguageModelInfo, Look, Looked, Message

logger = logging.getLogger(__name__)

HANG_SECONDS = 60.0
"""A process that is overdue for so long will not come back: native code hangs, or the driver of a GPU."""

_EXIT_SECONDS = 2.0
_MODULE = "kb.adapters.llama.main"


class LlamaChild:
    """A running child; what it runs is being loaded.

    Raises:
        ModelLoadError: The system cannot start a process.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._name = spec.name
        self._numbers = itertools.count(LOADING + 1)
        self._waiting: dict[int, Callable[[FromChild], None]] = {}
        self._reason = ""  # why it has ended; empty while it has not
        self._state = threading.Lock()  # guards the two above
        self._turn = threading.Lock()  # of who writes to the child
        self._loaded: Future[LanguageModelInfo] = Future()
        self._ended_by_us = ""  # and why
        self.has_answered = False
        self.ended = 0.0
        self._process = _start()
        self._waiting[LOADING] = self._set_loaded
        self._reader = threading.Thread(target=self._receive, name="kb-llm-replies", daemon=True)
        self._reader.start()
        self._send(encode_spec(spec))

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return bool(self._reason)

    def failure(self) -> KBError:
        """What became of it: why the model did not load, or how the process ended."""
        error = self._loaded.exception() if self._loaded.done() else None
        return error if isinstance(error, KBError) else self._death()

    def info(self, timeout_seconds: float | None = None) -> LanguageModelInfo | None:
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

    def count_tokens(self, text: str) -> int:
        """See `TokenCounter`. The model must be loaded.

        Raises:
            ModelError: The process has ended.
        """
        return self._call(CountTokens(text))

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """See `TokenCounter`. The model must be loaded.

        Raises:
            ModelError: The process has ended, or the template refuses the messages.
        """
        return self._call(PromptTokens(tuple(messages)))

    def begin(
        self, messages: Sequence[Message], options: GenerationOptions, looks: Sequence[Look], deliver: Deliver
    ) -> Callable[[], None]:
        """Asks for a reply. The model must be loaded.

        Args:
            looks: What to read from the model before.
            deliver: Called from another thread with each item, last with a `GenerationEnd` or an error.

        Returns:
            Takes the request back; to be called in any case.

        Raises:
            ModelError: The process has ended.
        """

        def take(item: FromChild) -> None:
            assert isinstance(item, Looked | Delta | Heartbeat | GenerationEnd | KBError)
            if isinstance(item, Looked | Delta | GenerationEnd):
                self.has_answered = True
            deliver(item)

        number = self._ask(Generate(tuple(messages), options, tuple(looks), observing.request_id.get()), take)

        def withdraw() -> None:
            with self._state:
                self._waiting.pop(number, None)
            self._send(encode_request(number, Withdraw()))

        return withdraw

    def read_ahead(self, prompts: Sequence[Sequence[Message]]) -> None:
        """See `AheadReader`. The model must be loaded."""
        self._send(encode_request(next(self._numbers), ReadAhead(tuple(map(tuple, prompts)))))

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

    def _call(self, request: ToChild) -> int:
        answer: queue.SimpleQueue[FromChild] = queue.SimpleQueue()
        self._ask(request, answer.put)
        try:
            reply = answer.get(timeout=HANG_SECONDS)
        except queue.Empty:
            self.give_up()
            reply = answer.get()
        if isinstance(reply, KBError):
            raise reply
        assert isinstance(reply, int)
        return reply

    def _ask(self, request: ToChild, take: Callable[[FromChild], None]) -> int:
        number = next(self._numbers)
        with self._state:
            if self._reason:
                raise self._death()
            self._waiting[number] = take
        self._send(encode_request(number, request))
        return number

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
                    self._hand_over(*decode_reply(line))
        except (ValueError, KeyError, TypeError) as error:
            logger.error("the process of the answering model said what cannot be understood (%s)", type(error).__name__)
        self._process.kill()  # whatever still runs of it has nobody to talk to, and whoever writes to it is let go
        with self._turn:
            status = children.end(self._process)
        reason = self._ended_by_us or children.describe_end(status)
        self.ended = time.monotonic()
        with self._state:
            self._reason = reason
            waiting, self._waiting = self._waiting, {}
        for take in waiting.values():
            take(self._death())

    def _hand_over(self, number: int, reply: FromChild) -> None:
        if isinstance(reply, LogLine):
            observing.request_id.set(reply.request_id)
            logging.getLogger(reply.logger).log(reply.level, "%s", reply.text)
            return
        with self._state:
            go_on = isinstance(reply, Looked | Delta | Heartbeat)
            take = self._waiting.get(number) if go_on else self._waiting.pop(number, None)
        if take:
            take(reply)

    def _set_loaded(self, reply: FromChild) -> None:
        if isinstance(reply, LanguageModelInfo):
            self._loaded.set_result(reply)
        else:
            assert isinstance(reply, KBError)
            self._loaded.set_exception(reply)

    def _death(self) -> ModelError:
        message = f"the process of the answering model {self._name} {self._reason}"
        if not self._loaded.done() or self._loaded.exception():
            hint = "choose a smaller model, fetch this one again, or set KB_GPU_LAYERS=0"
            return ModelLoadError(f"{message} while it was being loaded", hint)
        return ModelError(message, "ask again: it is started again by the next question")


def _start() -> Child:
    try:
        return children.start(_MODULE, has_pipes=True)
    except ChildNotStarted as error:
        raise ModelLoadError(f"the answering model cannot be loaded: {error.message}", error.hint) from error


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe
    return pipe
