"""One reply, from its messages to its end: asks, sorts what comes, keeps the budgets, and asks again where it must.

Where a server does not end reasoning at its budget, its connection is closed there and the answer asked for without
reasoning; so it is where a model has spent all on reasoning. Invariant: an answer is owed, and comes once.
"""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from kb.adapters.openai_api import dialects, errors
from kb.adapters.openai_api.connection import Connection
from kb.adapters.openai_api.dialects import Fields
from kb.adapters.openai_api.discovery import Server
from kb.adapters.openai_api.phases import Phases
from kb.adapters.openai_api.streaming import Lines, Piece, StreamError, Usage, pieces_of
from kb.errors import ModelUnreachable
from kb.generation.messages import fold_system
from kb.models.catalog import looks_like_r1
from kb.values.chat import Generated, GenerationEnd, GenerationOptions, Message

_HEADROOM_TOKENS = 4096
"""What a model may think whose thinking cannot be switched off."""

_DRAIN_SECONDS = 0.2
_REASONING_SHARE = 0.75  # of the time, so that there is some for the answer
_NEEDED = frozenset({"model", "messages", "stream", "max_tokens", "max_completion_tokens", "options"})
_FAILURES = frozenset({"error", "abort", "insufficient_system_resource"})


@dataclass(slots=True)
class Habits:
    """What was learned of a server from its replies.

    Attributes:
        refused: Fields of a request that it does not take.
        in_field: Whether it was seen to give reasoning in a field of its own.
        thinks: Whether the model was seen to think.
        ignores_switch: Whether the model was seen to think though it was told not to.
        plain: With and without thinking: whether a whole reply had nothing but the answer in its text.
    """

    refused: set[str] = field(default_factory=set)
    in_field: bool = False
    thinks: bool = False
    ignores_switch: bool = False
    plain: set[bool] = field(default_factory=set)


@dataclass(slots=True)
class Attempt:
    """What one request has brought."""

    phases: Phases
    finish: str = ""
    usage: Usage | None = None
    is_cut: bool = False
    """Whether the reasoning was broken off; its last piece was not delivered."""

    @property
    def owes_answer(self) -> bool:
        """Whether reasoning came, and no answer."""
        return self.is_cut or (not self.phases.answer_pieces and self.phases.reasoning_pieces > 0)

    def end(self, answer_tokens: int) -> GenerationEnd:
        """The end of the reply, as far as it was counted.

        Args:
            answer_tokens: Its budget, at which the connection may have been closed.
        """
        thought, said = self.phases.reasoning_pieces - self.is_cut, self.phases.answer_pieces
        if self.usage:
            thought = min(thought, self.usage.reply_tokens)
            thought = thought if self.usage.reasoning_tokens is None else self.usage.reasoning_tokens
            said = max(0, self.usage.reply_tokens - thought)
        prompt_tokens, reused_tokens = (self.usage.prompt_tokens, self.usage.reused_tokens) if self.usage else (0, 0)
        finish_reason: Literal["length", "stop"] = "length" if self.finish == "length" else "stop"
        return GenerationEnd(finish_reason, prompt_tokens, thought, min(said, answer_tokens), reused_tokens)


class Writer:
    """Writes replies of one model; for one event loop."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self.habits = Habits()

    @property
    def thinks(self) -> bool:
        """Whether the model thinks before it answers, as far as is known by now."""
        return self._server.thinks or self.habits.thinks

    @property
    def _can_switch(self) -> bool:
        return self._server.dialect.switches and not self.habits.ignores_switch

    @property
    def _has_headroom(self) -> bool:
        """Whether a reply has room for thinking beyond any budget."""
        return self.thinks and not self._can_switch

    def accepted(self, fields: Fields) -> Fields:
        """Those fields of a request that the server is not known to refuse."""
        return {name: value for name, value in fields.items() if name not in self.habits.refused}

    async def write(
        self, messages: Sequence[Message], options: GenerationOptions, deliver: Callable[[Generated], None]
    ) -> GenerationEnd:
        """Writes a reply.

        Args:
            deliver: Takes the deltas as they come.

        Raises:
            ModelError: The server cannot be reached, refuses, or breaks off.
        """
        late = time.monotonic() + options.seconds
        thinking = options.reasoning_tokens if self.thinks else 0
        thought = 0
        while True:
            has_headroom, left = self._has_headroom, late - time.monotonic()
            attempt = await self._attempt(messages, options, thinking, left, deliver)
            end = attempt.end(options.answer_tokens)
            thought += end.reasoning_tokens
            if not attempt.owes_answer or has_headroom or time.monotonic() >= late:
                return dataclasses.replace(end, reasoning_tokens=thought)
            self.habits.thinks = True
            self.habits.ignores_switch = self.habits.ignores_switch or not thinking
            thinking = 0

    async def _attempt(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        thinking: int,
        seconds: float,
        deliver: Callable[[Generated], None],
    ) -> Attempt:
        is_suspect = self.thinks and (thinking > 0) not in self.habits.plain
        shows = options.reasoning_tokens > 0
        attempt = Attempt(Phases(holds=self._holds(thinking > 0), shows_reasoning=shows, is_suspect=is_suspect))
        late = time.monotonic() + seconds * _REASONING_SHARE
        try:
            async with asyncio.timeout(seconds), AsyncExitStack() as stack:
                response = await self._opened(stack, self._body(messages, options, thinking))
                async for piece in self._pieces(response):
                    deltas = attempt.phases.feed(piece)
                    attempt.finish = piece.finish or attempt.finish
                    attempt.usage = piece.usage or attempt.usage
                    if attempt.phases.answer_pieces > options.answer_tokens:
                        attempt.finish = "length"
                        break
                    attempt.is_cut = self._is_to_be_cut(attempt.phases, thinking, late)
                    if attempt.is_cut:
                        break
                    for delta in deltas:
                        deliver(delta)
        except TimeoutError:
            attempt.finish = "length"
        for delta in attempt.phases.end(is_whole=attempt.finish not in ("", "length")):
            deliver(delta)
        self._learn(attempt, thinking > 0)
        return attempt

    def _is_to_be_cut(self, phases: Phases, thinking: int, late: float) -> bool:
        if not thinking or not self._can_switch or phases.answer_pieces or not phases.reasoning_pieces:
            return False
        budget = (
            2 * thinking + 64 if self._server.dialect.budgets else thinking
        )  # who keeps it, counts in other tokens than we do
        return phases.reasoning_pieces > budget or time.monotonic() > late

    def _holds(self, is_thinking: bool) -> bool:
        """Whether the text of a reply is held back until it is known whether it is reasoning."""
        habits = self.habits
        is_apart = self._server.dialect.separates or habits.in_field
        return not is_apart and (self.thinks or is_thinking not in habits.plain)

    def _learn(self, attempt: Attempt, is_thinking: bool) -> None:
        phases, habits = attempt.phases, self.habits
        habits.in_field = habits.in_field or phases.in_field
        habits.thinks = habits.thinks or phases.in_field or phases.has_tags
        habits.ignores_switch = habits.ignores_switch or (not is_thinking and phases.reasoning_pieces > 0)
        if attempt.finish and not phases.reasoning_pieces and not phases.in_field and not phases.has_tags:
            habits.plain.add(is_thinking)

    def _body(self, messages: Sequence[Message], options: GenerationOptions, thinking: int) -> Fields:
        server = self._server
        name, dialect = server.model.model, server.dialect
        headroom = min(_HEADROOM_TOKENS, server.context_tokens // 2) if self._has_headroom else 0
        reply_tokens = options.answer_tokens + max(thinking, headroom)
        if dialect.protocol == "ollama":
            window = server.context_tokens
            body = dialects.ollama_chat(dialect, name, thinking, reply_tokens, options.seed, window)
        else:
            body = dialects.chat(dialect, name, thinking, reply_tokens, options.seed)
        return {"messages": wire_messages(server, messages, is_thinking=thinking > 0)} | body

    async def _opened(self, stack: AsyncExitStack, body: Fields) -> httpx.Response:
        """Opens the reply; what the server does not take is left out from then on."""
        while True:
            body = self.accepted(body)
            try:
                return await stack.enter_async_context(self._connection.opened(chat_url(self._server), body))
            except errors.Refused as refused:
                named = {name for name in body.keys() - _NEEDED if name in refused.said}
                if not named:
                    raise
                self.habits.refused |= named

    async def _pieces(self, response: httpx.Response) -> AsyncIterator[Piece]:
        lines, is_over = Lines(), False
        try:
            async for data in (received := response.aiter_bytes()):
                for line in lines.feed(data):
                    for piece in pieces_of(line):
                        is_over = is_over or piece.is_last or bool(piece.finish)
                        if piece.finish in _FAILURES:
                            raise StreamError(piece.finish)
                        yield piece
                        if piece.is_last:
                            await _drain(received)
                            return
            for line in lines.end():
                for piece in pieces_of(line):
                    is_over = is_over or bool(piece.finish)
                    yield piece
        except StreamError as error:
            raise errors.in_stream(self._server.model, error.error) from error
        if not is_over:
            raise ModelUnreachable(
                f"the server {self._server.model.host} ended its reply in the middle", "ask again, or look at its log"
            )


async def _drain(received: AsyncIterator[bytes]) -> None:
    """Reads the end of a reply after its last piece, so that its connection can be used again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in received:
                pass


def wire_messages(server: Server, messages: Sequence[Message], *, is_thinking: bool) -> list[dict[str, Any]]:
    """Messages as they travel; distillations of R1 want all in the turn of the user."""
    folded = fold_system(messages) if looks_like_r1(server.model.model) else messages
    begun = [] if is_thinking or not server.skips_thinking else [Message("assistant", server.skips_thinking)]
    return [{"role": message.role, "content": message.content} for message in [*folded, *begun]]


def chat_url(server: Server) -> str:
    """Where replies are asked for."""
    if server.dialect.protocol == "ollama":
        return f"{server.model.root}/api/chat"
    return f"{server.model.url}/chat/completions"
