"""Requests to a language model, answered by one thread, question after question.

A question takes several: those of one that has begun come before others, so that its reader has the whole answer soon
and what was read for it is still there; one that takes long lets others go first. Knows nothing about tokens or models.
Invariants: at most one request is worked on; each hears how many come before it whenever that changes, and gets exactly
one end or error, after which its place is free. While there are none, one piece of idle work may be done, which gives
way to them.
"""

import contextvars
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kb import observing
from kb.errors import ModelBusy, ModelError
from kb.generation.reasoning import Phase
from kb.generation.replies import Deliver
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat

_REASONING_SHARE = 0.75  # of the time limit, so that a slow machine still comes to the answer
_FIRST_GUESS_SECONDS = 10.0

LONG_SECONDS = 60.0
"""Of the model's time; a question that has had more of it lets those go first that have not, and so on."""

_MOST_QUESTIONS = 1000
"""So many are remembered."""


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
        question: What it belongs to, as `kb.observing.request_id` names it; empty: to none.
        turn: The least is answered first.
        started: When its turn came; `time.monotonic`; 0: it waits.
    """

    prompt: list[int]
    options: GenerationOptions
    deliver: Deliver
    looks: Sequence[TokenLook] = ()
    question: str = field(default_factory=observing.request_id.get)
    turn: tuple[int, int] = (0, 0)
    started: float = 0.0
    withdrawn: threading.Event = field(default_factory=threading.Event)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

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
        self._requests: list[Request] = []  # in their order; the first one is being worked on, or about to be
        self._turns = _Turns()
        self._closed = False
        self._idle_work_over = threading.Event()
        self._lock = threading.Lock()  # guards the four above
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-llm")

    @property
    def is_closed(self) -> bool:
        """Whether nothing is to be answered any more."""
        return self._closed

    def add(self, request: Request) -> Callable[[], None]:
        """Puts a request where its question stands.

        Returns:
            Withdraws it, wherever it stands.

        Raises:
            ModelBusy: The queue is full.
            ModelError: It is closed.
        """
        with self._lock:
            if self._closed:
                raise ModelError("the model is closed", "restart the service")
            wanted = sum(not known.withdrawn.is_set() for known in self._requests)
            if wanted > self._size:
                raise ModelBusy(
                    f"{wanted - 1} questions are waiting already",
                    "ask again in a moment, or raise KB_QUEUE_SIZE",
                    retry_after_seconds=math.ceil(self._last_seconds),
                )
            self._idle_work_over.set()
            request.turn = self._turns.turn_of(request.question)
            place = self._place_for(request)
            self._requests.insert(place, request)
            self._tell_places(place or 1)
            self._owner.submit(self._work)

        def withdraw() -> None:
            request.withdrawn.set()
            self._finish(request, _cancelled(request), only_if_it_waits=True)

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
        for request in list(self._requests):
            self._finish(request, _cancelled(request))

    def _place_for(self, request: Request) -> int:
        """Behind the one that is worked on, and before those whose turn comes later."""
        waiting = (n for n, known in enumerate(self._requests) if not known.started and known.turn > request.turn)
        return next(waiting, len(self._requests))

    def _tell_places(self, first: int) -> None:
        for place, waiting in enumerate(self._requests[first:], first):
            waiting.deliver(Heartbeat(place))

    def _work(self) -> None:
        """Answers whoever is first now; there may be nobody, as who has withdrawn needs no answer."""
        with self._lock:
            request = next(iter(self._requests), None)
            if request is None:
                return
            request.started = time.monotonic()
        end: GenerationEnd | Exception = _cancelled(request)
        try:
            end = request.context.run(self._answer, request)
        except Exception as error:  # noqa: BLE001 - whoever asked is told of it
            end = error
        finally:
            self._last_seconds = time.monotonic() - request.started
            with self._lock:
                self._turns.note(request.question, self._last_seconds)
            self._finish(request, end)

    def _finish(self, request: Request, end: GenerationEnd | Exception, *, only_if_it_waits: bool = False) -> None:
        with self._lock:
            if request not in self._requests or (only_if_it_waits and request.started):
                return
            left = self._requests.index(request)
            del self._requests[left]
            self._tell_places(left)
        request.deliver(end)


@dataclass(slots=True)
class _Question:
    number: int
    seconds: float = 0.0


class _Turns:
    """Which question comes before which: the one that has had less of the model's time, and then the earlier one."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._known: dict[str, _Question] = {}

    def turn_of(self, question: str) -> tuple[int, int]:
        """The turn of a request that belongs to a question; empty: to none."""
        known = self._known.get(question) or _Question(next(self._numbers))
        if question:
            self._known[question] = known
        if len(self._known) > _MOST_QUESTIONS:
            del self._known[next(iter(self._known))]
        return int(known.seconds // LONG_SECONDS), known.number

    def note(self, question: str, seconds: float) -> None:
        """Notes how long a request of a question was worked on."""
        if known := self._known.get(question):
            known.seconds += seconds


def _cancelled(request: Request) -> GenerationEnd:
    return GenerationEnd("cancelled", len(request.prompt), 0, 0)
