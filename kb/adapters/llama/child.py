"""One child process that runs a language model (`kb.adapters.llama.main`), as its parent sees it, from start to end.

Knows nothing of starting it again: that is `kb.adapters.llama.process`; and nothing of the pipe to it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from kb import observing
from kb.adapters.llama.pipe import ChildPipe, death_of
from kb.adapters.llama.wire import (
    CountTokens,
    FromChild,
    Generate,
    ModelSpec,
    PromptTokens,
    ReadAhead,
    ToChild,
    Withdraw,
    decode_reply,
    encode_request,
    encode_spec,
)
from kb.errors import KBError
from kb.generation.replies import Deliver
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, LanguageModelInfo, Look, Looked, Message

HANG_SECONDS = 60.0
"""A process that is overdue for so long will not come back: native code hangs, or the driver of a GPU."""

_MODULE = "kb.adapters.llama.main"
_HINTS = (
    "choose a smaller model, fetch this one again, or set KB_GPU_LAYERS=0",
    "ask again: it is started again by the next question",
)


class LlamaChild:
    """A running child; what it runs is being loaded.

    Raises:
        ModelLoadError: The system cannot start a process.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._what = f"the answering model {spec.name}"
        self._loaded: Future[LanguageModelInfo] = Future()
        self.has_answered = False
        self._pipe: ChildPipe[FromChild] = ChildPipe(
            _MODULE, self._what, encode_spec(spec), decode_reply, _goes_on, self._set_loaded, self._death
        )

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._pipe.has_ended

    @property
    def ended(self) -> float:
        """When; `time.monotonic`."""
        return self._pipe.ended

    def failure(self) -> KBError:
        """What became of it: why the model did not load, or how the process ended."""
        error = self._loaded.exception() if self._loaded.done() else None
        return error if isinstance(error, KBError) else self._death(self._pipe.reason)

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

        request = Generate(tuple(messages), options, tuple(looks), observing.request_id.get())
        number = self._pipe.ask(lambda number: encode_request(number, request), take)
        return lambda: self._pipe.tell(lambda number: encode_request(number, Withdraw()), number)

    def read_ahead(self, prompts: Sequence[Sequence[Message]]) -> None:
        """See `AheadReader`. The model must be loaded."""
        request = ReadAhead(tuple(map(tuple, prompts)))
        self._pipe.tell(lambda number: encode_request(number, request))

    def give_up(self) -> None:
        """Ends a process that hangs; who waits for it gets an error."""
        self._pipe.give_up()

    def close(self) -> None:
        """Ends the process at once."""
        self._pipe.close()

    def _call(self, request: ToChild) -> int:
        reply = self._pipe.call(lambda number: encode_request(number, request), HANG_SECONDS)
        assert isinstance(reply, int)
        return reply

    def _set_loaded(self, reply: FromChild) -> None:
        if isinstance(reply, LanguageModelInfo):
            self._loaded.set_result(reply)
        else:
            assert isinstance(reply, KBError)
            self._loaded.set_exception(reply)

    def _death(self, reason: str) -> KBError:
        is_loaded = self._loaded.done() and not self._loaded.exception()
        return death_of(self._what, reason, is_loaded=is_loaded, hints=_HINTS)


def _goes_on(reply: FromChild) -> bool:
    return isinstance(reply, Looked | Delta | Heartbeat)
