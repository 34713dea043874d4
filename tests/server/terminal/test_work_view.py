import io
import logging
import threading

import pytest
from rich.console import Console

from server.http import schemas
from server.terminal.work_view import logging_work, time_left, work_line, work_progress
from tests.harness import eventually


def work(done: int = 120, total: int = 900, seconds_left: float | None = 310.0) -> schemas.Work:
    return schemas.Work(
        files_done=done,
        files_total=total,
        chunks_done=1460,
        files_per_second=1.234,
        chunks_per_second=14.3,
        seconds_left=seconds_left,
    )


def index(work: schemas.Work | None = None, building: schemas.Progress | None = None) -> schemas.IndexStatus:
    return schemas.IndexStatus(
        pending=0,
        failed=0,
        last_sync=None,
        current="deep/[b]elow.md" if work else None,
        degraded=False,
        error=None,
        work=work,
        building=building,
    )


BUILDING = schemas.Progress(label="making a new index", done=3000, total=12_000, unit="chunks")


def status(index: schemas.IndexStatus) -> schemas.Status:
    return schemas.Status.model_construct(index=index)


def test_work_is_told_on_one_line() -> None:
    assert work_line(index(work())) == "120 of 900 files, 1.2 files/s, 14 chunks/s, about 5 min left"
    assert work_line(index(work(done=0, seconds_left=None))) == "0 of 900 files, 1.2 files/s, 14 chunks/s"
    assert work_line(index(building=BUILDING)) == "making a new index: 3,000 of 12,000 chunks"
    assert work_line(index()) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "about 5 s left"),
        (42.0, "about 40 s left"),
        (54.9, "about 55 s left"),
        (55.0, "about 1 min left"),
        (310.0, "about 5 min left"),
        (5900.0, "about 98 min left"),
        (7200.0, "about 2 h left"),
    ],
)
def test_time_left_is_told_no_more_exactly_than_it_is_known(seconds: float, said: str) -> None:
    assert time_left(seconds) == said


def test_bar_on_a_terminal_has_file_numbers_and_rates() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=160)
    with work_progress(console) as show:
        show(status(index(work())))
        show(status(index(building=BUILDING)))
        show(status(index()))
        assert eventually(lambda: "3,000 of 12,000 chunks" in console.file.getvalue())


def test_what_is_no_terminal_gets_no_bar() -> None:
    console = Console(file=io.StringIO())
    with work_progress(console) as show:
        show(status(index(work())))
    assert console.file.getvalue() == ""


def test_log_gets_lines_while_long_work_goes_on_and_none_for_short_work(caplog: pytest.LogCaptureFixture) -> None:
    states = iter([index(), index(work()), index(), index(work(130)), index(work(140)), index(building=BUILDING)])
    over = threading.Event()

    def look() -> schemas.IndexStatus:
        state = next(states, None)
        if state is None:
            over.set()
        return state or index()

    with caplog.at_level(logging.INFO, "server"), logging_work(look, every_seconds=0.01):
        assert over.wait(5)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("indexing: 140 of 900 files, ")
    assert second == "making a new index: 3,000 of 12,000 chunks"
