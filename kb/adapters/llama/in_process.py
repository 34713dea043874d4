"""The language model that runs in this process: `kb.adapters.llama.context` behind the ports.

It knows nothing of passages or citations. Invariant: one owner thread evaluates and samples, one request after the
other, and asks after each slice of the prompt and each token whether its request is still wanted. Other threads only
read the vocabulary, which llama.cpp keeps constant. Neither prompts nor replies are logged.
"""

import codecs
import dataclasses
import functools
import itertools
import threading
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Literal

from kb.adapters.llama.context import Llama
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.request_queue import Request, RequestQueue, TokenLook
from kb.adapters.llama.templates import Segment, profile_of
from kb.errors import ModelError, ModelLoadError, PromptTooLong
from kb.generation.reasoning import CLOSER, OPENER, Phase, ReasoningSplitter, ends_in_loop
from kb.generation.replies import Deliver, Reply
from kb.values.chat import Generated, GenerationEnd, GenerationOptions, LanguageModelInfo, Look, Looked, Message

# A prompt is evaluated in slices that take about this long, so that a request that is no longer wanted ends soon.
_FIRST_SLICE_TOKENS = 8
_SLICE_SECONDS_MIN, _SLICE_SECONDS_MAX = 0.4, 1.0
# Ahead of a question, in slices that a question does not feel; less than 16 rows at once are slow on many processors.
_AHEAD_SLICE_TOKENS = 16


class LlamaModel:
    """A GGUF model that answers one request at a time.

    Args:
        path: The GGUF file; of a split model the first part.
        name: What to call it.
        options: How llama.cpp runs it.
        queue_size: Requests that may wait while one is running.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, does not fit into memory, or does not generate text.
    """

    def __init__(self, path: Path, name: str, options: EngineOptions, *, queue_size: int = 8) -> None:
        self._llama = Llama(path, options)
        try:
            self._profile = profile_of(self._llama.metadata, self._llama.vocabulary)
        except ModelLoadError as error:
            self._llama.close()
            raise ModelLoadError(f"{path}: {error.message}", error.hint) from error
        self._closing = self._llama.tokenize(self._profile.closes_reasoning, control=True)
        self._tags: dict[int, Phase] = {}
        if {OPENER, CLOSER} <= self._llama.vocabulary.markers:
            self._tags[self._llama.tokenize(OPENER, control=True)[0]] = "reasoning"
            self._tags[self._llama.tokenize(CLOSER, control=True)[0]] = "answer"
        self._info = LanguageModelInfo(
            name=name,
            description=self._llama.description,
            reasons=self._profile.reasons,
            context_tokens=self._llama.context_tokens,
            device=self._llama.device,
            title=self._llama.metadata.get("general.name", ""),
        )
        self._slice_tokens = _FIRST_SLICE_TOKENS
        self._queue = RequestQueue(self._generate, queue_size)
        self._lock = threading.Lock()  # guards the vocabulary against being freed while it is read
        self._freed = False

    @property
    def info(self) -> LanguageModelInfo:
        """Name, abilities and limits of the model."""
        return self._info

    def count_tokens(self, text: str) -> int:
        """Counts the tokens of a text, control tokens read as plain text.

        Raises:
            ModelError: The model is closed.
        """
        return len(self._encode([Segment(text, False)]))

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """Counts the tokens of the prompt that the messages make.

        What closes the reasoning by force is counted too: if this number and both budgets together are at most
        `info.context_tokens`, the messages fit.

        Raises:
            ModelError: The model is closed, or its template refuses the messages.
        """
        reasons = self._profile.reasons
        return len(self._prompt(messages, reasoning=reasons)) + (len(self._closing) if reasons else 0)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        """Generates a reply.

        Closing the iterator withdraws the request, wherever it stands. While there is nothing to say, because other
        requests come first or the prompt is being read, a heartbeat comes four times a second: a caller that waits
        for the next item could not close.

        Args:
            messages: The last one from the user.
            options: Limits and seed. Reasoning that uses up its budget is ended by force, and the answer begins.

        Yields:
            Deltas and heartbeats as they come; exactly one `GenerationEnd`, last. Its reason is `length` also where the
            answer ran into an endless repetition or the time was up, and `cancelled` where the model was closed
            meanwhile.

        Raises:
            PromptTooLong: Messages and budgets do not fit into the context window.
            ModelBusy: The queue is full.
            ModelError: The model is closed, or llama.cpp failed.
        """
        return self._stream(messages, options, ())

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        """See `kb.ports.Looker`."""
        return self._stream(messages, options, looks)

    def read_ahead(self, prompts: Sequence[Sequence[Message]]) -> None:
        """See `kb.ports.AheadReader`.

        Raises:
            ModelError: The model is closed.
        """
        tokens = _common_beginning([self._prompt(messages, reasoning=False) for messages in prompts])
        if len(tokens) < self._info.context_tokens:
            self._queue.offer(functools.partial(self._read_ahead, tokens))

    def begin(
        self, messages: Sequence[Message], options: GenerationOptions, looks: Sequence[Look], deliver: Deliver
    ) -> Callable[[], None]:
        """Does what `stream` does for somebody who need not wait for the items: they are delivered.

        Args:
            looks: What to read from the model before.
            deliver: Called from other threads, until a `GenerationEnd` or an error comes; a heartbeat comes only when
                the place in the queue changes.

        Returns:
            Withdraws the request.

        Raises:
            PromptTooLong: Messages and budgets do not fit into the context window.
            ModelBusy: The queue is full.
            ModelError: The model is closed.
        """
        return self._queue.add(self._request(messages, options, looks, deliver))

    def close(self) -> None:
        """Stops what is running and frees the memory. Closing twice does nothing."""
        self._queue.close()
        with self._lock:
            if not self._freed:
                self._freed = True
                self._llama.close()

    def _stream(
        self, messages: Sequence[Message], options: GenerationOptions, looks: Sequence[Look]
    ) -> Generator[Generated, None, None]:
        reply = Reply()
        withdraw = self.begin(messages, options, looks, reply.put)
        try:
            yield from reply.items()
        finally:
            withdraw()

    def _check_open(self) -> None:
        if self._queue.is_closed:
            raise ModelError(f"the model {self._info.name} is closed", "restart the service")

    def _prompt(self, messages: Sequence[Message], *, reasoning: bool) -> list[int]:
        return self._encode(self._profile.render(messages, reasoning=reasoning))

    def _encode(self, prompt: Sequence[Segment]) -> list[int]:
        with self._lock:
            self._check_open()
            return self._llama.encode(prompt)

    def _request(
        self, messages: Sequence[Message], options: GenerationOptions, looks: Sequence[Look], deliver: Deliver
    ) -> Request:
        reasoning_tokens = options.reasoning_tokens if self._profile.reasons else 0
        prompt = self._prompt(messages, reasoning=reasoning_tokens > 0) if messages else []
        closing = len(self._closing) if reasoning_tokens else 0
        generated = reasoning_tokens + options.answer_tokens + closing if messages else 0
        tokens_of_looks = [self._tokens_of(look) for look in looks]
        needed = max(len(prompt) + generated, *(len(look.prompt) for look in tokens_of_looks), 0)
        if needed > self._info.context_tokens:
            raise PromptTooLong(
                f"the prompt has {len(prompt)} tokens and needs {needed} with {reasoning_tokens} for reasoning and "
                f"{options.answer_tokens} for the answer, but the context window has {self._info.context_tokens}",
                "ask a shorter question, use fewer passages (KB_TOP_K, KB_PASSAGE_TOKENS), or raise KB_CONTEXT_TOKENS",
            )
        options = dataclasses.replace(options, reasoning_tokens=reasoning_tokens)
        return Request(prompt, options, deliver, tokens_of_looks)

    def _tokens_of(self, look: Look) -> TokenLook:
        prompt = self._prompt(look.messages, reasoning=False)
        reply, other = (self._encode([Segment(text, False)])[0] for text in (look.reply, look.other))
        return TokenLook(prompt, reply, other)

    def _generate(self, request: Request) -> GenerationEnd:
        """One request from its prompt to its end, in the owner thread."""
        llama, profile = self._llama, self._profile
        splitter = ReasoningSplitter(request.first_phase, tags_in_text=not self._tags)
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        written: dict[Phase, list[int]] = {"reasoning": [], "answer": []}
        finish_reason: Literal["stop", "length", "cancelled"] | None = None
        self._look(request)
        if not request.prompt:
            return GenerationEnd("stop" if self._is_wanted(request) else "cancelled", 0, 0, 0)
        reused_tokens = llama.keep_prefix(request.prompt)
        pending = request.prompt[reused_tokens:]
        with llama.sampler(profile.temperature, profile.top_p, request.options.seed) as sample:
            while finish_reason is None and self._evaluate(pending, request):
                phase = splitter.phase
                room = llama.room_tokens - (len(self._closing) if phase == "reasoning" else 0)
                used_up = room <= 0 or len(written[phase]) >= request.budget_tokens(phase) or request.is_late(phase)
                spent = used_up or ends_in_loop(written[phase])
                token = None if spent else sample()
                if token is not None and not llama.is_end(token):
                    written[phase].append(token)
                    pending = [token]
                    if token in self._tags:
                        utf8.reset()
                        request.deliver_all(splitter.switch_to(self._tags[token]))
                    else:
                        request.deliver_all(splitter.feed(utf8.decode(llama.bytes_of(token))))
                elif phase == "answer" or room < 0:
                    finish_reason = "length" if spent else "stop"
                else:
                    # Also a model that ends its reply while it is still thinking owes an answer.
                    pending = self._closing
                    utf8.reset()
                    request.deliver_all(splitter.force_close())
        request.deliver_all(splitter.flush())
        finish_reason = finish_reason or ("length" if self._is_wanted(request) else "cancelled")
        thought, said = len(written["reasoning"]), len(written["answer"])
        return GenerationEnd(finish_reason, len(request.prompt), thought, said, reused_tokens)

    def _look(self, request: Request) -> None:
        """Reads what the looks show; where they are broken off, nothing is delivered."""
        margins, states = [], []
        for look in request.looks:
            *unread, last = look.prompt[self._llama.keep_prefix(look.prompt) :]
            if not self._evaluate(unread, request):
                return
            states.append(self._llama.evaluate_last(last))
            margins.append(self._llama.margin(look.reply, look.other))
        if margins:
            request.deliver(Looked(tuple(margins), tuple(states)))

    def _evaluate(self, tokens: Sequence[int], request: Request) -> bool:
        """Evaluates tokens in slices; returns False as soon as the request is no longer wanted or its time is up."""
        done = 0
        while done < len(tokens) and self._is_wanted(request) and not request.is_late("answer"):
            part = tokens[done : done + self._slice_tokens]
            started = time.monotonic()
            self._llama.evaluate(part)
            seconds = time.monotonic() - started
            done += len(part)
            if seconds > _SLICE_SECONDS_MAX:
                self._slice_tokens = max(1, self._slice_tokens // 2)
            elif seconds < _SLICE_SECONDS_MIN and len(part) == self._slice_tokens:
                self._slice_tokens = min(self._llama.batch_tokens, self._slice_tokens * 2)
        return self._is_wanted(request) and not request.is_late("answer")

    def _read_ahead(self, tokens: Sequence[int], over: threading.Event) -> None:
        if over.is_set():
            return
        length = min(_AHEAD_SLICE_TOKENS, self._slice_tokens)
        for start in range(self._llama.keep_prefix(tokens), len(tokens), length):
            if over.is_set():
                return
            self._llama.evaluate(tokens[start : start + length])

    def _is_wanted(self, request: Request) -> bool:
        return not (request.withdrawn.is_set() or self._queue.is_closed)


def _common_beginning(sequences: Sequence[Sequence[int]]) -> list[int]:
    columns = zip(*sequences, strict=False)
    return [column[0] for column in itertools.takewhile(lambda column: len(set(column)) == 1, columns)]
