from collections.abc import Generator

import pytest

from kb.answering import activity
from kb.answering.activity import IDLE_SECONDS, Activity


def events() -> Generator[int, None, None]:
    yield from range(3)


def test_who_is_there_and_has_not_asked_yet_is_no_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    activity = Activity()
    assert activity.is_idle
    activity.note()
    assert not activity.is_idle
    monkeypatch.setattr("kb.answering.activity.IDLE_SECONDS", 0.0)
    assert activity.is_idle


def test_from_the_first_event_to_a_while_after_the_last_nobody_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(activity.time, "monotonic", lambda: now)
    watched = Activity()
    assert watched.is_idle, "nobody has asked yet"
    asked = watched.during(events())
    assert watched.is_idle, "nor has anybody begun to read"
    assert next(asked) == 0
    now += 10 * IDLE_SECONDS
    assert not watched.is_idle
    assert list(asked) == [1, 2]
    assert not watched.is_idle, "who reads may ask on"
    now += IDLE_SECONDS
    assert watched.is_idle


def test_question_that_is_given_up_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(activity.time, "monotonic", lambda: now)
    watched = Activity()
    one, other = watched.during(events()), watched.during(events())
    assert (next(one), next(other)) == (0, 0)
    one.close()
    now += IDLE_SECONDS
    assert not watched.is_idle
    other.close()
    now += IDLE_SECONDS
    assert watched.is_idle
