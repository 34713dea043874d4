"""One child process that runs a language model (`kb.adapters.llama.main`), as its parent sees it, from start to end.

Knows nothing of starting it again: that is `kb.adapters.llama.process`; and nothing of the pipe to it.
"""

from collections.abc import Callable, Sequence

from kb import observing
from kb.adapters.llama.pipe import ChildPipe
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
        self.has_answered = False
        what, first = f"the answering model {spec.name}", encode_spec(spec)
        self._pipe: ChildPipe[FromChild, LanguageModelInfo] = ChildPipe(
            _MODULE, what, first, decode_reply, _goes_on, LanguageModelInfo, _HINTS
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
        return self._pipe.failure()

    def info(self, timeout_seconds: float | None = None) -> LanguageModelInfo | None:
        """Waits until the model is loaded.

        Returns:
            None if it did not load in time.

        Raises:
            ModelError: It could not be loaded, or the process has ended.
        """
        return self._pipe.info(timeout_seconds)

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


def _goes_on(reply: FromChild) -> bool:
    return isinstance(reply, Looked | Delta | Heartbeat)
