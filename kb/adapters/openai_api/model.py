"""A language model on a server, behind the ports of one.

What a server cannot do, its class lacks: counting, or looks. Knows no dialect. Invariant: closing a stream, or the
model, closes its connection, so that the server stops; neither prompts nor replies nor keys are logged.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from kb.adapters.openai_api import looks as reading
from kb.adapters.openai_api.connection import Connection
from kb.adapters.openai_api.counting import Counter
from kb.adapters.openai_api.discovery import Server, discover
from kb.adapters.openai_api.errors import Refused
from kb.adapters.openai_api.loop import Loop
from kb.adapters.openai_api.writing import Writer, chat_url, wire_messages
from kb.errors import KBError, ModelBusy, ModelError, PromptTooLong
from kb.generation.disguise import Disguise, hidden_alone, texts_of
from kb.generation.replies import Deliver, Reply
from kb.models.remote import RemoteModel
from kb.observing import Observe, unobserved
from kb.ports import FindPersonal
from kb.values.chat import (
    Generated,
    GenerationEnd,
    GenerationOptions,
    LanguageModelInfo,
    Look,
    Looked,
    Message,
)
from kb.values.happenings import EngineFailed, LooksTaken, PersonalDataHidden
from kb.values.personal import none_found

T = TypeVar("T")

_LOOKS_AT_ONCE = 4
_BUSY_SECONDS = 10


class RemoteLanguageModel:
    """A model on a server, which may answer several requests at a time.

    Args:
        loop: In which the connection lives; closed with the model.
        queue_size: Requests that may be on their way beside a first one.
        observe: Is told of looks, failures and what was hidden.
        find: Finds what the server must not see.
    """

    def __init__(
        self,
        server: Server,
        connection: Connection,
        loop: Loop,
        queue_size: int = 8,
        observe: Observe = unobserved,
        find: FindPersonal = none_found,
    ) -> None:
        self._server = server
        self._connection = connection
        self._loop = loop
        self._queue_size = queue_size
        self._observe = observe
        self._find = find
        self._writer = Writer(server, connection)
        self._counter = Counter(server, connection) if server.dialect.counts else None
        self._lock = threading.Lock()  # guards the two below
        self._open = 0
        self._closed = False

    @property
    def info(self) -> LanguageModelInfo:
        """Name, abilities and limits of the model, as far as they are known by now."""
        model = self._server.model
        return LanguageModelInfo(
            name=f"{model.model}@{model.host}",
            description=f"{model.model} on {model.host} ({self._server.dialect.name})",
            reasons=self._writer.thinks,
            context_tokens=self._server.context_tokens,
            device="remote",
            title=model.model,
            host=model.host,
        )

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        """See `kb.ports.LanguageModel`.

        Raises:
            ModelUnreachable: The server cannot be reached, or fails.
        """
        return self._stream((), messages, options)

    def close(self) -> None:
        """Closes all connections. Closing twice does nothing."""
        with self._lock:
            was_closed, self._closed = self._closed, True
        if not was_closed:
            self._loop.close(self._connection.close())

    def _stream(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        with self._place():
            reply, disguise = Reply(), Disguise(self._find, texts_of(looks, messages))
            if disguise.counts:
                self._observe(PersonalDataHidden("remote", disguise.counts))
            looks, messages, deliver = disguise.looks(looks), disguise.messages(messages), disguise.restoring(reply.put)
            future = self._loop.start(self._answer(looks, messages, options, deliver))
            try:
                yield from reply.items()
            finally:
                future.cancel()

    @contextmanager
    def _place(self) -> Iterator[None]:
        with self._lock:
            self._check_open()
            if self._open > self._queue_size:
                raise ModelBusy(
                    f"{self._open} questions are on their way to {self._server.model.host} already",
                    "ask again in a moment, or raise KB_QUEUE_SIZE",
                    _BUSY_SECONDS,
                )
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1

    def _check_open(self) -> None:
        if self._closed:
            raise ModelError(f"the model {self._server.model.model} is closed", "restart the service")

    async def _answer(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions, deliver: Deliver
    ) -> None:
        try:
            if messages:
                await self._check_fit(messages, options)
            if looks and (looked := await self._looked(looks, options.seconds)):
                self._observe(LooksTaken(len(looked.margins)))
                deliver(looked)
            end = await self._writer.write(messages, options, deliver) if messages else GenerationEnd("stop", 0, 0, 0)
            deliver(end)
        except asyncio.CancelledError:
            deliver(GenerationEnd("cancelled", 0, 0, 0))
            raise
        except Exception as error:  # noqa: BLE001 - it is raised again where the reply is read
            self._observe(EngineFailed(error.code if isinstance(error, KBError) else type(error).__name__))
            deliver(error)

    async def _check_fit(self, messages: Sequence[Message], options: GenerationOptions) -> None:
        """What a server would cut, or end too early, is refused where it can be counted before."""
        if self._counter is None:
            return
        prompt = await self._counter.prompt(messages)
        thinking = options.reasoning_tokens if self._writer.thinks else 0
        needed = prompt + thinking + options.answer_tokens
        if needed > self._server.context_tokens:
            raise PromptTooLong(
                f"the prompt has {prompt} tokens and needs {needed} with {thinking} for reasoning and "
                f"{options.answer_tokens} for the answer, but the context window has {self._server.context_tokens}",
                "ask a shorter question, use fewer passages (KB_TOP_K, KB_PASSAGE_TOKENS), or start the server with a"
                " larger window",
            )

    async def _looked(self, looks: Sequence[Look], seconds: float) -> Looked | None:
        """What the looks show; None where the server does not let see."""
        at_once = asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def look_at(look: Look) -> float | None:
            async with at_once:
                return reading.margin(look, await self._first_tokens(look))

        try:
            async with asyncio.timeout(seconds):
                margins = await asyncio.gather(*map(look_at, looks))
        except (TimeoutError, Refused):
            return None
        seen = [margin for margin in margins if margin is not None]
        return Looked(tuple(seen)) if len(seen) == len(looks) else None

    async def _first_tokens(self, look: Look) -> object:
        server = self._server
        return await self._connection.ask(
            chat_url(server),
            {
                "model": server.model.model,
                "messages": wire_messages(server, look.messages, is_thinking=False),
                "stream": False,
                "temperature": 0.0,
                "logprobs": True,
                "top_logprobs": reading.SHOWN_TOKENS,
                server.dialect.limit: 1,
                **self._writer.accepted(server.dialect.thinking(server.model.model, 0)),
            },
        )

    def _wait(self, count: Callable[[Counter], Awaitable[T]]) -> T:
        self._check_open()
        counter = self._counter
        assert counter is not None, "only a model that counts is asked"

        async def counted() -> T:
            return await count(counter)

        return self._loop.start(counted()).result()


class CountingModel(RemoteLanguageModel):
    """The server counts tokens as well."""

    def count_tokens(self, text: str) -> int:
        """See `kb.ports.TokenCounter`."""
        return self._wait(lambda counter: counter.text(hidden_alone(text, self._find)))

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """See `kb.ports.TokenCounter`."""
        hidden = Disguise(self._find, texts_of((), messages)).messages(messages)
        return self._wait(lambda counter: counter.prompt(hidden))


class LookingModel(RemoteLanguageModel):
    """The server gives probabilities as well."""

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        """See `kb.ports.Looker`; where the server shows no probabilities, no `Looked` comes."""
        return self._stream(looks, messages, options)


class CountingLookingModel(CountingModel, LookingModel):
    """The server does both."""


def open_remote_model(
    model: RemoteModel,
    key: str = "",
    *,
    context_tokens: int = 0,
    queue_size: int = 8,
    observe: Observe = unobserved,
    find: FindPersonal = none_found,
) -> RemoteLanguageModel:
    """Asks a server what it is, and gives the model on it.

    Args:
        key: Sent as bearer; empty: none is.
        context_tokens: The window to use, at most the server's; 0: the server's, of Ollama at most 8192.
        queue_size: Requests that may be on their way beside a first one.
        observe: Is told of looks, failures and what was hidden.
        find: Finds what the server must not see.

    Raises:
        ModelMissing: The server does not have the model.
        ModelError: It cannot be reached, or refuses.
    """
    connection, loop = Connection(model, key), Loop()
    try:
        server = loop.start(discover(model, connection, context_tokens)).result()
    except BaseException:
        loop.close(connection.close())
        raise
    can_look = server.dialect.looks and (server.dialect.switches or not server.thinks)
    kinds = {
        (False, False): RemoteLanguageModel,
        (True, False): CountingModel,
        (False, True): LookingModel,
        (True, True): CountingLookingModel,
    }
    return kinds[bool(server.dialect.counts), can_look](server, connection, loop, queue_size, observe, find)
