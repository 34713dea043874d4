"""Requests to a language model, answered by one thread in the order in which they came.

Knows nothing about tokens or models. Invariants: at most one request is worked on; each hears how many come before it
whenever that changes, and gets exactly one end or error, after which its place is free. While there are none, one piece
of idle work may be done, which gives way to them.
"""

import contextvars
import functools
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from kb.errors import ModelBusy, ModelError
from kb.generation.reasoning import Phase
from kb.generation.replies import Deliver
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat

_REASONING_SHARE = 0.75  # of the time limit, so that a slow machine still comes to the answer
_FIRST_GUESS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TokenLook:
    """A look, in tokens.

    Attributes:
        reply: The first token of the one word.
        other: The first token of the other.
    """

    prompt: list[int]
    reply: int
    other: int


@dataclass(slots=True, eq=False)
class Request:
    """One reply to be generated, and the way in which it travels to whoever asked.

    Attributes:
        prompt: Tokens; empty where nothing is to be generated.
        options: Limits and seed; its reasoning budget is 0 where the model does not reason.
        looks: Come before it.
        started: When its turn came; `time.monotonic`.
    """

    prompt: list[int]
    options: GenerationOptions
    deliver: Deliver
    looks: Sequence[TokenLook] = ()
    started: float = 0.0
    withdrawn: threading.Event = field(default_factory=threading.Event)

    @property
    def first_phase(self) -> Phase:
        """The phase that the reply begins in."""
        return "reasoning" if self.options.reasoning_tokens else "answer"

    def budget_tokens(self, phase: Phase) -> int:
        """How many tokens a phase may have."""
        return self.options.reasoning_tokens if phase == "reasoning" else self.options.answer_tokens

    def is_late(self, phase: Phase) -> bool:
        """Whether the time for a phase is up."""
        share = _REASONING_SHARE if phase == "reasoning" else 1.0
        return time.monotonic() - self.started > share * self.options.seconds

    def deliver_all(self, deltas: Iterable[Delta]) -> None:
        """Delivers one after the other."""
        for delta in deltas:
            self.deliver(delta)


class RequestQueue:
    """Works off requests.

    Args:
        answer: Delivers the reply to a request, all but its end, and returns that. It should look now and then whether
            the request is withdrawn or the queue is closed.
        size: Requests that may wait while one is worked on.
    """

    def __init__(self, answer: Callable[[Request], GenerationEnd], size: int) -> None:
        self._answer = answer
        self._size = size
        self._last_seconds = _FIRST_GUESS_SECONDS
        self._requests: list[Request] = []  # in their order; the first one is being worked on
        self._closed = False
        self._idle_work_over = threading.Event()
        self._lock = threading.Lock()  # guards the three above
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-llm")

    @property
    def is_closed(self) -> bool:
        """Whether nothing is to be answered any more."""
        return self._closed

    def add(self, request: Request) -> Callable[[], None]:
        """Puts a request at the end.

        Returns:
            Withdraws it, wherever it stands.

        Raises:
            ModelBusy: The queue is full.
            ModelError: It is closed.
        """
        with self._lock:
            if self._closed:
                raise ModelError("the model is closed", "restart the service")
            place = len(self._requests)
            wanted = sum(not known.withdrawn.is_set() for known in self._requests)
            if wanted > self._size:
                raise ModelBusy(
                    f"{wanted - 1} questions are waiting already",
                    "ask again in a moment, or raise KB_QUEUE_SIZE",
                    retry_after_seconds=math.ceil(self._last_seconds),
                )
            self._idle_work_over.set()
            self._requests.append(request)
            if place:
                request.deliver(Heartbeat(place))
            future = self._owner.submit(contextvars.copy_context().run, self._run, request)
        future.add_done_callback(functools.partial(self._finish, request))

        def withdraw() -> None:
            request.withdrawn.set()
            future.cancel()

        return withdraw

    def offer(self, work: Callable[[threading.Event], object]) -> None:
        """Has something done if there is no request; it takes the place of what was offered before.

        Args:
            work: Has to end soon after the event is set, which a request does.
        """
        with self._lock:
            if self._closed or self._requests:
                return
            self._idle_work_over.set()
            self._idle_work_over = threading.Event()
            self._owner.submit(work, self._idle_work_over)

    def close(self) -> None:
        """Ends what is worked on and what waits, and waits for that. Closing twice does nothing."""
        with self._lock:
            self._closed = True
            self._idle_work_over.set()
        self._owner.shutdown(wait=True, cancel_futures=True)

    def _run(self, request: Request) -> GenerationEnd:
        request.started = time.monotonic()
        end = self._answer(request)
        self._last_seconds = time.monotonic() - request.started
        return end

    def _finish(self, request: Request, future: "Future[GenerationEnd]") -> None:
        with self._lock:
            left = self._requests.index(request)
            del self._requests[left]
            for place, waiting in enumerate(self._requests[left:], left):
                waiting.deliver(Heartbeat(place))
        if future.cancelled():
            request.deliver(GenerationEnd("cancelled", len(request.prompt), 0, 0))
        elif isinstance(error := future.exception(), Exception):
            request.deliver(error)
        else:
            request.deliver(future.result())
