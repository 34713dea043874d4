"""The language model in a process of its own, behind the ports of one: a crash of llama.cpp ends that process.

Who was being answered then gets a `ModelError`; the next question starts the process again. Knows nothing of llama.cpp,
which is never loaded into this process. Invariant: there is at most one child, and none after `close`.
"""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from kb.adapters.llama import child as llm_child
from kb.adapters.llama.child import LlamaChild
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.tuning import recall
from kb.adapters.llama.wire import ModelSpec, Untuned
from kb.errors import ModelError, ModelLoadError
from kb.generation.replies import HEARTBEAT_SECONDS, Reply
from kb.observing import Observe, unobserved
from kb.values.chat import (
    Generated,
    GenerationEnd,
    GenerationOptions,
    Heartbeat,
    LanguageModelInfo,
    Look,
    Looked,
    Message,
)
from kb.values.happenings import ChildRestarted, LooksTaken

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_MOST_FUTILE_STARTS = 3
"""So many processes in a row that ended without one answer: the next would do the same."""

_FORGIVEN_SECONDS = 60.0
"""After so long it is tried again all the same: there may be more memory now."""


class LlamaProcess:
    """A GGUF model that runs in a child process and answers one request at a time; see `in_process`.

    Args:
        path: The GGUF file; of a split model the first part.
        name: What to call it.
        options: How llama.cpp runs it; untuned, the process chooses, which takes some 10 seconds at its first load.
        queue_size: Requests that may wait while one is running.
        observe: Is told of looks and new processes.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, does not fit into memory, does not generate text, or ends the
            process.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        options: EngineOptions | Untuned,
        *,
        queue_size: int = 8,
        observe: Observe = unobserved,
    ) -> None:
        self._observe = observe
        self._spec = ModelSpec(path.absolute(), name, options, queue_size)
        self._lock = threading.Lock()  # guards the three below
        self._closed = False
        self._futile_starts = 0
        self._child = LlamaChild(self._spec)
        try:
            info = self._child.info()
        except ModelError:
            self._child.close()
            raise
        assert info
        self._info = info

    @property
    def info(self) -> LanguageModelInfo:
        """Name, abilities and limits of the model, as it was loaded the last time."""
        return self._info

    def ready(self, timeout_seconds: float) -> bool:
        """Whether it can answer; if its process has ended, starts it again.

        Args:
            timeout_seconds: How long to wait while it loads.

        Raises:
            ModelError: It does not load, or is closed.
        """
        child = self._sound_child()
        try:
            info = child.info(timeout_seconds)
        except ModelError:
            if self._is_current(child):
                raise
            return False  # another has just taken its place
        self._info = info or self._info  # there may be room for another context window now
        return info is not None

    def count_tokens(self, text: str) -> int:
        """Counts the tokens of a text, control tokens read as plain text.

        Raises:
            ModelError: The process has just ended, does not start again, or the model is closed.
        """
        return self._with_child(lambda child: child.count_tokens(text))

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """Counts the tokens of the prompt that the messages make, and of what closes the reasoning by force.

        Raises:
            ModelError: As `count_tokens`, or the template refuses the messages.
        """
        return self._with_child(lambda child: child.prompt_tokens(messages))

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        """Generates a reply.

        Closing the iterator withdraws the request, wherever it stands; a heartbeat comes four times a second while
        there is nothing to say.

        Args:
            messages: The last one from the user.
            options: Limits and seed.

        Yields:
            Deltas and heartbeats as they come; exactly one `GenerationEnd`, last.

        Raises:
            PromptTooLong: Messages and budgets do not fit into the context window.
            ModelBusy: The queue is full.
            ModelError: The process ended meanwhile or hangs, does not start again, or the model is closed.
        """
        return self._stream(messages, options, ())

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        """See `kb.ports.Looker`."""
        return self._stream(messages, options, looks)

    def read_ahead(self, prompts: Sequence[Sequence[Message]]) -> None:
        """See `kb.ports.AheadReader`."""
        child = self._child
        if not child.has_ended:
            child.read_ahead(prompts)

    def measure_again(self, is_idle: Callable[[], bool]) -> bool:
        """See `kb.ports.Measured`. It is done by a new process, which takes the place of this one.

        Raises:
            ModelError: It does not load again, or is closed.
        """
        if not self._was_disturbed():
            return True
        assert isinstance(self._spec.options, Untuned)
        afresh = dataclasses.replace(self._spec.options, afresh=True)
        self._exchange(dataclasses.replace(self._spec, options=afresh))
        while not self.ready(HEARTBEAT_SECONDS):
            if not is_idle():
                self._exchange(self._spec)
                return False
        return not self._was_disturbed()

    def close(self) -> None:
        """Ends what is running, and the process with it."""
        with self._lock:
            self._closed = True
        self._child.close()

    def _stream(
        self, messages: Sequence[Message], options: GenerationOptions, looks: Sequence[Look]
    ) -> Generator[Generated, None, None]:
        while not self.ready(HEARTBEAT_SECONDS):
            yield Heartbeat()
        reply = Reply()
        child, withdraw = self._with_child(lambda child: (child, child.begin(messages, options, looks, reply.put)))
        try:
            for item in _watched(child, reply.items(), options.seconds):
                if isinstance(item, Looked):
                    self._observe(LooksTaken(len(item.margins)))
                yield item
        except ModelError:
            if not self._closed:
                raise
            yield GenerationEnd("cancelled", 0, 0, 0)
        finally:
            withdraw()

    def _was_disturbed(self) -> bool:
        match self._spec.options:
            case Untuned(settings, cache):
                tuning = recall(self._spec.path, settings, cache)
                return bool(tuning and tuning.measurement and tuning.measurement.disturbed_at)
        return False

    def _exchange(self, spec: ModelSpec) -> None:
        with self._lock:
            if not self._closed:
                self._child.close()
                self._child = LlamaChild(spec)

    def _with_child(self, call: Callable[[LlamaChild], Result]) -> Result:
        """Calls the child when it is loaded; another one that has meanwhile taken its place in its stead."""
        while True:
            child = self._sound_child()
            try:
                child.info()
                return call(child)
            except ModelError:
                if self._is_current(child):
                    raise

    def _is_current(self, child: LlamaChild) -> bool:
        with self._lock:  # which is held until another one has taken its place
            return child is self._child

    def _sound_child(self) -> LlamaChild:
        """The child, or a new one in the place of one that has ended; it may still be loading."""
        with self._lock:
            if self._closed:
                raise ModelError(f"the model {self._spec.name} is closed", "restart the service")
            if self._child.has_ended:
                self._replace()
            return self._child

    def _replace(self) -> None:
        now = time.monotonic()
        is_bad_luck = self._child.has_answered or now - self._child.ended > _FORGIVEN_SECONDS
        self._futile_starts = 0 if is_bad_luck else self._futile_starts + 1
        failure = self._child.failure()
        if self._futile_starts >= _MOST_FUTILE_STARTS:
            raise ModelLoadError(
                f"{failure.message}; so it went {_MOST_FUTILE_STARTS} times in a row, without one answer",
                "choose a smaller model, fetch this one again, or set KB_GPU_LAYERS=0; then restart the service",
            )
        logger.warning("%s; it is started again", failure.message)
        self._observe(ChildRestarted("engine"))
        self._child = LlamaChild(self._spec)


def _watched(child: LlamaChild, items: Iterable[Generated], seconds: float) -> Iterator[Generated]:
    """The items of a reply; gives up the child if that, or one before it, should have ended long ago.

    Args:
        seconds: How long each may take once it is its turn.
    """
    place, overdue = 0, 0.0
    for item in items:
        if isinstance(item, Heartbeat):
            now = time.monotonic()
            if item.place != place or not overdue:
                place, overdue = item.place, now + seconds + llm_child.HANG_SECONDS
            elif now > overdue:
                child.give_up()
        yield item
