"""The language model that runs in this process: `kb.llama` behind the port `LanguageModel`.

It knows nothing of passages or citations. Invariant: one owner thread evaluates and samples, one request after the
other, and asks after each slice of the prompt and each token whether its request is still wanted. Other threads only
read the vocabulary, which llama.cpp keeps constant. Neither prompts nor replies are logged.
"""

import codecs
import functools
import math
import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kb.errors import ModelBusy, ModelError, ModelLoadError, PromptTooLong
from kb.generation import Generated, GenerationEnd, GenerationOptions, LanguageModelInfo, Message
from kb.llama import BATCH_TOKENS, Llama
from kb.reasoning import CLOSER, OPENER, Phase, ReasoningSplitter, ends_in_loop
from kb.templates import Segment, profile_of
from kb.types import Heartbeat

# A prompt is evaluated in slices that take about this long, so that a request that is no longer wanted ends soon.
_FIRST_SLICE_TOKENS = 16
_SLICE_SECONDS_MIN, _SLICE_SECONDS_MAX = 0.4, 1.0
_HEARTBEAT_SECONDS = 0.25


class LlamaModel:
    """A GGUF model that answers one request at a time.

    Args:
        path: The GGUF file; of a split model the first part.
        name: What to call it.
        context_tokens: Size of the context window; at most what the model was trained with.
        threads: 0 takes the physical cores.
        gpu_layers: Layers on the GPU, if llama.cpp was built for one; -1 means all.
        queue_size: Requests that may wait while one is running.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, does not fit into memory, or does not generate text.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        context_tokens: int,
        threads: int = 0,
        gpu_layers: int = -1,
        queue_size: int = 8,
    ) -> None:
        self._llama = Llama(path, context_tokens, threads, gpu_layers)
        try:
            self._profile = profile_of(self._llama.metadata, self._llama.vocabulary)
        except ModelLoadError:
            self._llama.close()
            raise
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
        )
        self._slice_tokens = _FIRST_SLICE_TOKENS
        self._last_seconds = 10.0
        self._queue_size = queue_size
        self._accepted = 0
        self._closed = False
        # Guards the two fields above, and the vocabulary against being freed while it is read.
        self._lock = threading.Lock()
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-llm")

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
            options: Budgets and seed. Reasoning that uses up its budget is ended by force, and the answer begins.

        Yields:
            Deltas and heartbeats as they come; exactly one `GenerationEnd`, last. Its reason is `length` also where the
            answer ran into an endless repetition, and `cancelled` where the model was closed meanwhile.

        Raises:
            PromptTooLong: Messages and budgets do not fit into the context window.
            ModelBusy: The queue is full.
            ModelError: The model is closed, or llama.cpp failed.
        """
        request = self._request(messages, options)
        future = self._submit(request)
        try:
            while item := request.next_item():
                yield item
            if future.cancelled():
                yield GenerationEnd("cancelled", len(request.prompt), 0, 0)
            else:
                future.result()
        finally:
            request.withdrawn.set()
            future.cancel()

    def close(self) -> None:
        """Stops what is running and frees the memory. Closing twice does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._owner.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            self._llama.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ModelError(f"the model {self._info.name} is closed", "restart the service")

    def _prompt(self, messages: Sequence[Message], *, reasoning: bool) -> list[int]:
        return self._encode(self._profile.render(messages, reasoning=reasoning))

    def _encode(self, prompt: Sequence[Segment]) -> list[int]:
        with self._lock:
            self._check_open()
            return self._llama.encode(prompt)

    def _request(self, messages: Sequence[Message], options: GenerationOptions) -> "_Request":
        reasoning_tokens = options.reasoning_tokens if self._profile.reasons else 0
        prompt = self._prompt(messages, reasoning=reasoning_tokens > 0)
        needed = (
            len(prompt) + reasoning_tokens + options.answer_tokens + (len(self._closing) if reasoning_tokens else 0)
        )
        if needed > self._info.context_tokens:
            raise PromptTooLong(
                f"the prompt has {len(prompt)} tokens and needs {needed} with {reasoning_tokens} for reasoning and "
                f"{options.answer_tokens} for the answer, but the context window has {self._info.context_tokens}",
                "ask a shorter question, use fewer passages (KB_TOP_K, KB_PASSAGE_TOKENS), or raise KB_CONTEXT_TOKENS",
            )
        return _Request(prompt, {"reasoning": reasoning_tokens, "answer": options.answer_tokens}, options.seed)

    def _submit(self, request: "_Request") -> "Future[None]":
        with self._lock:
            self._check_open()
            if self._accepted > self._queue_size:
                raise ModelBusy(
                    f"{self._accepted - 1} questions are waiting already",
                    "ask again in a moment, or raise KB_QUEUE_SIZE",
                    retry_after_seconds=math.ceil(self._last_seconds),
                )
            self._accepted += 1
            future = self._owner.submit(self._run, request)
        future.add_done_callback(functools.partial(self._finish, request))
        return future

    def _finish(self, request: "_Request", _: "Future[None]") -> None:
        with self._lock:
            self._accepted -= 1
        request.output.put(None)

    def _run(self, request: "_Request") -> None:
        started = time.monotonic()
        for item in self._generate(request):
            request.output.put(item)
        self._last_seconds = time.monotonic() - started

    def _generate(self, request: "_Request") -> Iterator[Generated]:
        """One request from its prompt to its end, in the owner thread."""
        llama, profile = self._llama, self._profile
        splitter = ReasoningSplitter(request.first_phase, tags_in_text=not self._tags)
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        written: dict[Phase, list[int]] = {"reasoning": [], "answer": []}
        finish_reason: Literal["stop", "length", "cancelled"] = "cancelled"
        pending = request.prompt[llama.keep_prefix(request.prompt) :]
        with llama.sampler(profile.temperature, profile.top_p, request.seed) as sample:
            while self._evaluate(pending, request):
                phase = splitter.phase
                room = llama.room_tokens - (len(self._closing) if phase == "reasoning" else 0)
                spent = room <= 0 or len(written[phase]) >= request.budgets[phase] or ends_in_loop(written[phase])
                token = None if spent else sample()
                if token is not None and not llama.is_end(token):
                    written[phase].append(token)
                    pending = [token]
                    if token in self._tags:
                        utf8.reset()
                        yield from splitter.switch_to(self._tags[token])
                    else:
                        yield from splitter.feed(utf8.decode(llama.bytes_of(token)))
                elif phase == "answer" or room < 0:
                    finish_reason = "length" if spent else "stop"
                    break
                else:
                    # Also a model that ends its reply while it is still thinking owes an answer.
                    pending = self._closing
                    utf8.reset()
                    yield from splitter.force_close()
        yield from splitter.flush()
        yield GenerationEnd(finish_reason, len(request.prompt), len(written["reasoning"]), len(written["answer"]))

    def _evaluate(self, tokens: Sequence[int], request: "_Request") -> bool:
        """Evaluates tokens in slices; returns False as soon as the request is no longer wanted."""
        done = 0
        while done < len(tokens) and not (request.withdrawn.is_set() or self._closed):
            part = tokens[done : done + self._slice_tokens]
            started = time.monotonic()
            self._llama.evaluate(part)
            seconds = time.monotonic() - started
            done += len(part)
            if seconds > _SLICE_SECONDS_MAX:
                self._slice_tokens = max(1, self._slice_tokens // 2)
            elif seconds < _SLICE_SECONDS_MIN and len(part) == self._slice_tokens:
                self._slice_tokens = min(BATCH_TOKENS, self._slice_tokens * 2)
        return not (request.withdrawn.is_set() or self._closed)


@dataclass(frozen=True, slots=True)
class _Request:
    """One reply to be generated, and the way in which it travels from the owner thread to the caller."""

    prompt: list[int]
    budgets: dict[Phase, int]
    seed: int
    withdrawn: threading.Event = field(default_factory=threading.Event)
    output: "queue.SimpleQueue[Generated | None]" = field(default_factory=queue.SimpleQueue)

    @property
    def first_phase(self) -> Phase:
        return "reasoning" if self.budgets["reasoning"] else "answer"

    def next_item(self) -> Generated | None:
        """Waits a moment for the next item; None is the end."""
        try:
            return self.output.get(timeout=_HEARTBEAT_SECONDS)
        except queue.Empty:
            return Heartbeat()
