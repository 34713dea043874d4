"""How far long work is, in words and as a bar: for commands that wait for it, and for the log of `kb serve`."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console

from server.client.polling import polling
from server.http import schemas
from server.terminal.cleaning import on_one_line

logger = logging.getLogger(__name__)

LINE_SECONDS = 10.0
"""Where there is no bar: time between two lines; work that is over sooner is not worth one."""

NAME_CHARS = 40


def work_line(index: schemas.IndexStatus) -> str:
    """Says how far indexing or the making of a new index is; empty when nothing goes on."""
    if index.work:
        work = index.work
        left = f", {time_left(work.seconds_left)}" if work.seconds_left is not None else ""
        return f"{work.files_done:,} of {work.files_total:,} files, {_rates(work)}{left}"
    if index.building and index.building.total:
        return f"{index.building.label}: {index.building.done:,} of {index.building.total:,} chunks"
    return ""


def time_left(seconds: float) -> str:
    """Says how long something will take, no more exactly than it is known."""
    if seconds < 55:
        return f"about {max(5, 5 * round(seconds / 5))} s left"
    minutes = round(seconds / 60)
    return f"about {minutes} min left" if minutes < 100 else f"about {round(minutes / 60)} h left"


@contextmanager
def work_progress(console: Console) -> Iterator[Callable[[schemas.Status], None]]:
    """Shows how far a sync is: a bar that goes away on a terminal, else a line every ten seconds.

    Yields:
        What to tell the state to.
    """
    if not console.is_terminal:
        yield _lines(lambda line: console.print(line, markup=False))
        return
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(bar_width=24),
        bars.TextColumn("{task.fields[numbers]}", markup=False, style="dim"),
    )
    with bars.Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("looking at the folders …", total=None, numbers="")

        def show(status: schemas.Status) -> None:
            index = status.index
            if index.work:
                done, total, name = index.work.files_done, index.work.files_total, _shortened(index.current or "")
                display.update(task, completed=done, total=total, description=name, numbers=work_line(index))
            elif index.building:
                done, total = index.building.done, index.building.total or 0
                display.update(task, completed=done, total=total, description="", numbers=work_line(index))

        yield show


@contextmanager
def logging_work(look: Callable[[], schemas.IndexStatus], every_seconds: float = LINE_SECONDS) -> Iterator[None]:
    """Writes a line to the log every now and then while work goes on that takes longer.

    Args:
        look: Gives the state of the index.
    """
    was_working = False

    def watch() -> None:
        nonlocal was_working
        index = look()
        line = work_line(index)
        if line and was_working:
            logger.info("indexing: %s" if index.work else "%s", line)
        was_working = bool(line)

    with polling(watch, every_seconds):
        yield


def _lines(write: Callable[[str], None]) -> Callable[[schemas.Status], None]:
    next_at = time.monotonic() + LINE_SECONDS

    def show(status: schemas.Status) -> None:
        nonlocal next_at
        line = work_line(status.index)
        if line and time.monotonic() >= next_at:
            next_at = time.monotonic() + LINE_SECONDS
            write(line)

    return show


def _rates(work: schemas.Work) -> str:
    return f"{_rounded(work.files_per_second)} files/s, {_rounded(work.chunks_per_second)} chunks/s"


def _rounded(rate: float) -> str:
    return f"{rate:.1f}" if rate < 10 else f"{rate:,.0f}"


def _shortened(name: str) -> str:
    name = on_one_line(name)
    return name if len(name) <= NAME_CHARS else f"…{name[1 - NAME_CHARS :]}"
