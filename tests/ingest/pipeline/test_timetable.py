import time

from ingest.pipeline.tickets import Tickets
from ingest.pipeline.timetable import LOOK_AGAIN_SECONDS, LOOK_SHARE, Timetable


def due_in(timetable: Timetable, tickets: Tickets, *, is_busy: bool = False) -> float:
    return timetable.due_at(tickets, is_busy=is_busy) - time.monotonic()


def test_without_a_hint_the_timer_decides() -> None:
    timetable, tickets = Timetable(0.2), Tickets()
    assert due_in(timetable, tickets) <= 0
    timetable.looked(1.0, pause_seconds=600)
    assert 500 < due_in(timetable, tickets) <= 600
    timetable.look_within(50)
    timetable.look_within(5000)
    assert 40 < due_in(timetable, tickets) <= 50
    timetable.look_in(100)
    assert 90 < due_in(timetable, tickets) <= 100


def test_hint_is_heeded_after_a_short_pause_and_in_a_long_run_after_a_longer_one() -> None:
    timetable, tickets = Timetable(30), Tickets()
    timetable.looked(0.01, pause_seconds=600)
    tickets.request()
    timetable.asked()
    assert 25 < due_in(timetable, tickets) <= 30
    quick = Timetable(0.0)
    quick.looked(0.01, pause_seconds=600)
    assert due_in(quick, tickets) <= 0
    assert 0 < due_in(quick, tickets, is_busy=True) <= LOOK_AGAIN_SECONDS
    quick.looked(60.0, pause_seconds=600)
    assert 500 < due_in(quick, tickets, is_busy=True) <= 60.0 / LOOK_SHARE


def test_who_is_in_a_hurry_waits_for_nothing() -> None:
    timetable, tickets = Timetable(30), Tickets()
    timetable.looked(60.0, pause_seconds=600)
    tickets.hurry([("/papers", "dome.md")])
    assert due_in(timetable, tickets, is_busy=True) <= 0
