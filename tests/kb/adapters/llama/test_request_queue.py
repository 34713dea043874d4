import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

from kb.adapters.llama import request_queue
from kb.adapters.llama.request_queue import Request, RequestQueue
from kb.errors import ModelBusy, ModelError
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat

PATIENCE_SECONDS = 10.0


class Model:
    """Answers with the first token of the prompt when it may."""

    def __init__(self, size: int = 8) -> None:
        self.may_answer = threading.Semaphore(0)
        self.answered: Callable[[str], object] = lambda number: None
        self.queue = RequestQueue(self._answer, size)

    def ask(self, number: int, question: str = "") -> "Asked":
        return Asked(self.queue, number, question)

    def _answer(self, request: Request) -> GenerationEnd:
        while not self.may_answer.acquire(timeout=0.01):
            if request.withdrawn.is_set() or self.queue.is_closed:
                return GenerationEnd("cancelled", 1, 0, 0)
        (number,) = request.prompt
        if number < 0:
            raise ModelError("negative")
        self.answered(str(number))
        request.deliver(Delta("answer", str(number)))
        return GenerationEnd("stop", 1, 0, 1)


class Asked:
    """A request and what came of it."""

    def __init__(self, queue: RequestQueue, number: int, question: str = "") -> None:
        self.heard: list[object] = []
        self._over = threading.Event()
        self.withdraw = queue.add(Request([number], GenerationOptions(), self._take, question=question))

    def _take(self, item: object) -> None:
        self.heard.append(item)
        if isinstance(item, GenerationEnd | Exception):
            self._over.set()

    def all(self) -> list[object]:
        assert self._over.wait(PATIENCE_SECONDS)
        return self.heard


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    yield model
    model.queue.close()


def test_requests_are_answered_in_order_and_hear_their_place_on_the_way(model: Model) -> None:
    asked = [model.ask(number) for number in range(4)]
    model.may_answer.release(4)
    for number, one in enumerate(asked):
        places = [Heartbeat(place) for place in range(number, -1, -1)] if number else []
        assert one.all() == [*places, Delta("answer", str(number)), GenerationEnd("stop", 1, 0, 1)]


def numbers(asked: Iterable[Asked]) -> list[str]:
    """What was answered, in its order."""
    return [item.text for one in asked for item in one.all() if isinstance(item, Delta)]


def test_what_belongs_to_a_question_that_has_begun_comes_before_later_ones(model: Model) -> None:
    order: list[str] = []
    model.answered = order.append
    first, other, last = model.ask(1, "one"), model.ask(2, "two"), model.ask(3)
    again = model.ask(4, "one")
    model.may_answer.release(4)
    assert again.all() == [Heartbeat(1), Heartbeat(0), Delta("answer", "4"), GenerationEnd("stop", 1, 0, 1)]
    assert other.all()[:4] == [Heartbeat(1), Heartbeat(2), Heartbeat(1), Heartbeat(0)]
    assert len(numbers([first, last])) == 2
    assert order == ["1", "4", "2", "3"]


def test_question_that_takes_long_lets_others_go_first(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "LONG_SECONDS", 1e-9)
    order: list[str] = []
    model.answered = order.append
    long = model.ask(1, "long")
    model.may_answer.release()
    long.all()
    now = model.ask(2, "now")
    more, short = model.ask(3, "long"), model.ask(4, "short")
    model.may_answer.release(3)
    assert len(numbers([now, more, short])) == 3
    assert order == ["1", "2", "4", "3"]


def test_who_stands_behind_one_that_goes_away_moves_up(model: Model) -> None:
    _, second, third = (model.ask(number) for number in range(3))
    second.withdraw()
    assert third.heard == [Heartbeat(2), Heartbeat(1)]
    assert second.all()[-1] == GenerationEnd("cancelled", 1, 0, 0)


def test_full_queue_refuses_until_somebody_has_gone() -> None:
    model = Model(size=1)
    _, waiting = model.ask(0), model.ask(1)
    with pytest.raises(ModelBusy, match="1 questions are waiting") as caught:
        model.ask(2)
    assert caught.value.retry_after_seconds >= 1
    waiting.withdraw()
    model.ask(3)
    model.queue.close()


def test_place_is_free_when_the_end_is_heard() -> None:
    model = Model(size=0)
    model.may_answer.release(50)
    for number in range(50):
        assert Delta("answer", str(number)) in model.ask(number).all()
    model.queue.close()


def test_failure_is_told_and_the_next_one_is_answered(model: Model) -> None:
    model.may_answer.release(2)
    failed, good = model.ask(-1), model.ask(7)
    assert isinstance(failed.all()[-1], ModelError)
    assert Delta("answer", "7") in good.all()


def test_closing_ends_what_is_worked_on_and_what_waits(model: Model) -> None:
    asked = [model.ask(number) for number in range(3)]
    model.queue.close()
    for one in asked:
        assert one.all()[-1] == GenerationEnd("cancelled", 1, 0, 0)
    with pytest.raises(ModelError, match="closed"):
        model.ask(4)


def test_idle_work_is_done_while_nobody_asks(model: Model) -> None:
    done = threading.Event()
    model.queue.offer(lambda over: over.is_set() or done.set())
    assert done.wait(PATIENCE_SECONDS)


def test_idle_work_gives_way_to_a_request(model: Model) -> None:
    began = threading.Event()

    def work(over: threading.Event) -> None:
        began.set()
        assert over.wait(PATIENCE_SECONDS)

    model.queue.offer(work)
    assert began.wait(PATIENCE_SECONDS)
    model.may_answer.release()
    assert Delta("answer", "7") in model.ask(7).all()


def test_idle_work_gives_way_to_the_next(model: Model) -> None:
    ended: list[str] = []
    done = threading.Event()
    model.queue.offer(lambda over: over.wait(PATIENCE_SECONDS) and ended.append("first"))
    model.queue.offer(lambda over: done.set())
    assert done.wait(PATIENCE_SECONDS)
    assert ended == ["first"]


def test_idle_work_is_not_begun_while_somebody_asks(model: Model) -> None:
    asked, done = model.ask(7), threading.Event()
    model.queue.offer(lambda over: done.set())
    model.may_answer.release(2)
    asked.all()
    model.ask(8).all()
    assert not done.is_set()


def test_closing_ends_idle_work(model: Model) -> None:
    began = threading.Event()
    model.queue.offer(lambda over: began.set() or over.wait(PATIENCE_SECONDS))
    assert began.wait(PATIENCE_SECONDS)
    model.queue.close()
    model.queue.offer(lambda over: pytest.fail("it is closed"))
