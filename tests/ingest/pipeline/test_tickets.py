import random

from ingest.folders.place import Place
from ingest.pipeline.tickets import Tickets

A, B, C = (("/r", name) for name in ("a.md", "b.md", "c.md"))


def test_request_is_finished_once_all_that_was_there_is_dealt_with() -> None:
    tickets = Tickets()
    ticket = tickets.request()
    assert tickets.is_pending
    tickets.look_done(ticket, {A, B})
    assert not tickets.is_pending
    tickets.dealt_with(A)
    assert tickets.finished < ticket
    tickets.dealt_with(B)
    assert tickets.finished == ticket


def test_request_with_nothing_to_do_is_finished_by_the_look() -> None:
    tickets = Tickets()
    ticket = tickets.request()
    tickets.look_done(ticket, ())
    assert tickets.finished == ticket


def test_one_look_serves_all_who_asked_before_it_and_none_is_served_early() -> None:
    tickets = Tickets()
    first, second = tickets.request(), tickets.request()
    tickets.look_done(second, {A})
    assert tickets.finished < first
    tickets.dealt_with(A)
    assert tickets.finished == second


def test_request_that_came_during_a_look_waits_for_the_next_one() -> None:
    tickets = Tickets()
    seen = tickets.request()
    late = tickets.request()
    tickets.look_done(seen, ())
    assert (tickets.finished, tickets.is_pending) == (seen, True)
    tickets.look_done(late, ())
    assert tickets.finished == late


def test_file_that_came_later_keeps_only_later_requests_waiting() -> None:
    tickets = Tickets()
    early = tickets.request()
    tickets.look_done(early, {A})
    late = tickets.request()
    tickets.look_done(late, {A, B})
    tickets.dealt_with(A)
    assert tickets.finished == early
    tickets.dealt_with(B)
    assert tickets.finished == late


def test_what_a_later_look_does_not_find_any_more_keeps_nobody_waiting() -> None:
    tickets = Tickets()
    early = tickets.request()
    tickets.look_done(early, {A, B})
    late = tickets.request()
    tickets.look_done(late, {B, C})
    tickets.dealt_with(B)
    assert tickets.finished == early


def test_file_that_changes_without_end_counts_once_one_version_of_it_is_read() -> None:
    tickets = Tickets()
    ticket = tickets.request()
    tickets.look_done(ticket, {A})
    tickets.dealt_with(A)
    assert tickets.finished == ticket
    tickets.look_done(tickets.request(), {A})
    assert tickets.finished == ticket


def test_giving_up_ends_all_requests_and_later_ones_can_succeed() -> None:
    tickets = Tickets()
    begun, waiting = tickets.request(), 0
    tickets.look_done(begun, {A})
    waiting = tickets.request()
    tickets.give_up()
    assert (tickets.failed, tickets.finished < begun, tickets.is_pending) == (waiting, True, False)
    later = tickets.request()
    tickets.look_done(later, ())
    assert tickets.finished == later > tickets.failed


def test_finished_never_says_more_than_is_true() -> None:
    chance = random.Random(7)
    tickets = Tickets()
    owed: dict[int, set[Place]] = {}
    for _ in range(2000):
        match chance.choice("rrld"):
            case "r":
                owed[tickets.request()] = set()
            case "l":
                waiting = {place for place in (A, B, C) if chance.random() < 0.5}
                begun = tickets.begun
                tickets.look_done(tickets.requested, waiting)
                for ticket, places in owed.items():
                    owed[ticket] = places & waiting if ticket <= begun else set(waiting)
            case "d":
                place = chance.choice([A, B, C])
                tickets.dealt_with(place)
                for places in owed.values():
                    places.discard(place)
        done = [ticket for ticket, places in owed.items() if ticket <= tickets.begun and not places]
        assert tickets.finished == max(done, default=0)


def test_who_is_in_a_hurry_waits_for_a_look_and_for_files_of_their_own_only() -> None:
    tickets = Tickets()
    ticket = tickets.hurry({A})
    assert (tickets.is_hurried, tickets.hurried, tickets.is_served(ticket)) == (True, {A}, False)
    tickets.look_done(ticket, {A, B})
    assert (tickets.is_hurried, tickets.is_served(ticket)) == (False, False)
    tickets.dealt_with(A)
    assert tickets.is_served(ticket)
    assert tickets.finished < ticket
    tickets.leave(ticket)
    assert tickets.hurried == frozenset()


def test_who_is_in_a_hurry_is_served_by_the_look_if_nothing_is_left_to_do() -> None:
    tickets = Tickets()
    ticket = tickets.hurry({A})
    tickets.look_done(ticket, {B})
    assert tickets.is_served(ticket)


def test_two_in_a_hurry_are_served_each_by_themselves() -> None:
    tickets = Tickets()
    first, second = tickets.hurry({A}), tickets.hurry({B})
    assert tickets.hurried == {A, B}
    tickets.look_done(second, {A, B})
    tickets.dealt_with(B)
    assert (tickets.is_served(first), tickets.is_served(second)) == (False, True)
    tickets.leave(second)
    assert tickets.hurried == {A}


def test_later_version_of_a_file_keeps_nobody_in_a_hurry_waiting() -> None:
    tickets = Tickets()
    ticket = tickets.hurry({A})
    tickets.look_done(ticket, {A})
    tickets.dealt_with(A)
    tickets.look_done(tickets.request(), {A})
    assert tickets.is_served(ticket)


def test_nobody_in_a_hurry_waits_for_what_was_given_up() -> None:
    tickets = Tickets()
    ticket = tickets.hurry({A})
    tickets.give_up()
    assert (tickets.is_hurried, tickets.is_served(ticket)) == (False, True)
