import itertools
import time

import pytest

from kb.errors import ModelError
from kb.generation.replies import Reply
from kb.values.chat import Delta, GenerationEnd, Heartbeat

END = GenerationEnd("stop", 1, 0, 1)


def test_items_come_in_their_order_up_to_the_end() -> None:
    reply = Reply()
    for item in (Delta("answer", "Yes"), END, Delta("answer", "late")):
        reply.put(item)
    assert list(reply.items()) == [Delta("answer", "Yes"), END]


def test_error_is_raised_where_it_stands() -> None:
    reply = Reply()
    reply.put(Delta("answer", "Yes"))
    reply.put(ModelError("broken"))
    items = reply.items()
    assert next(items) == Delta("answer", "Yes")
    with pytest.raises(ModelError, match="broken"):
        next(items)


def test_while_nothing_comes_the_place_is_told_again() -> None:
    reply = Reply()
    reply.put(Heartbeat(2))
    items = reply.items()
    began = time.monotonic()
    assert list(itertools.islice(items, 2)) == [Heartbeat(2), Heartbeat(2)]
    assert time.monotonic() - began < 1
    reply.put(Heartbeat(1))
    assert list(itertools.islice(items, 2)) == [Heartbeat(1), Heartbeat(1)]
