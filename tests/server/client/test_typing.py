"""What is typed is told while it grows; nothing waits for that."""

import itertools
import threading

from kb.errors import KBError
from server.client.typing import prepared_while_typing
from tests.harness import eventually


def test_each_new_beginning_is_told_once_and_short_ones_are_not() -> None:
    texts = itertools.chain(["", "Wh", "When ", "When", "When was"], itertools.repeat("When was it?"))
    told: list[str] = []
    looked = threading.Semaphore(0)

    def written() -> str:
        looked.release()
        return next(texts)

    with prepared_while_typing(written, told.append, pause_seconds=0.001):
        for _ in range(12):
            assert looked.acquire(timeout=10)
    assert told == ["When", "When was", "When was it?"]


def test_what_fails_is_passed_over_and_told_again_when_it_has_grown() -> None:
    texts = itertools.chain(["When was"], itertools.repeat("When was it?"))
    told: list[str] = []

    def prepare(text: str) -> None:
        told.append(text)
        raise KBError("nobody is there")

    with prepared_while_typing(lambda: next(texts), prepare, pause_seconds=0.001):
        assert eventually(lambda: told == ["When was", "When was it?"])


def test_nobody_waits_for_what_is_still_being_told() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def prepare(text: str) -> None:
        begun.set()
        goes_on.wait(10)

    with prepared_while_typing(lambda: "When was it?", prepare, pause_seconds=0.001):
        assert begun.wait(10)
    assert not goes_on.is_set()
    goes_on.set()
