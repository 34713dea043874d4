"""Goes through the questions of a test set, with a bar on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich import progress as bars
from rich.console import Console

Item = TypeVar("Item")


def with_bar(console: Console, label: str, items: Sequence[Item]) -> Iterator[Item]:
    """Yields items one by one; how many are done is shown, if there is a terminal, until the last one is."""
    if not console.is_terminal:
        yield from items
        return
    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(bar_width=24),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as display:
        task = display.add_task(label, total=len(items))
        for item in items:
            yield item
            display.advance(task)
