"""How far models are: downloads and their loading, as a bar or as lines."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import progress as bars
from rich.console import Console
from rich.filesize import decimal

from kb.models.loading import LoadState
from kb.values.progress import Progress, Report

if TYPE_CHECKING:
    from kb.answering.engines.models import ModelStatus
    from kb.knowledge_base import KnowledgeBase

POLL_SECONDS = 0.2


def show_loading(knowledge_base: "KnowledgeBase", answering: bool) -> None:
    """Waits for the models, and shows how far they are.

    Args:
        answering: Whether the answering model is waited for, too.

    Raises:
        ModelError: A model is missing or does not load.
    """
    with loading_bars(knowledge_base):
        knowledge_base.wait_for_index()
        if answering:
            knowledge_base.models.wait_for_model()


@contextmanager
def loading_bars(knowledge_base: "KnowledgeBase") -> Iterator[None]:
    """Draws the download of models while the block runs."""
    stop = threading.Event()
    drawing = threading.Thread(target=_draw_downloads, args=(knowledge_base, stop), name="downloads", daemon=True)
    drawing.start()
    try:
        yield
    finally:
        stop.set()
        drawing.join()


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Shows the progress of a download: a bar on a terminal, else a line at each tenth.

    Yields:
        What to give to `ModelStore.pull`.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_report(console)
        return
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console) as display:
        tasks: dict[str, bars.TaskID] = {}

        def report(progress: Progress) -> None:
            if progress.label not in tasks:
                tasks[progress.label] = display.add_task(progress.label, total=progress.total)
            display.update(tasks[progress.label], completed=progress.done, total=progress.total)

        yield report


def _plain_report(console: Console) -> Report:
    shown: set[tuple[str, int]] = set()

    def report(progress: Progress) -> None:
        tenths = 10 * progress.done // progress.total if progress.total else 0
        if (progress.label, tenths) not in shown:
            shown.add((progress.label, tenths))
            size = f": {decimal(progress.done)} of {decimal(progress.total)}" if progress.total else " …"
            console.print(f"{progress.label}{size}", highlight=False, soft_wrap=True)

    return report


def _draw_downloads(knowledge_base: "KnowledgeBase", stop: threading.Event) -> None:
    with progress_bar() as report:
        while not stop.wait(POLL_SECONDS):
            models = [knowledge_base.models.embedding(), knowledge_base.models.answering()]
            models += [reranker] if (reranker := knowledge_base.models.reranker()) else []
            for model in models:
                if model.loading.progress:
                    report(model.loading.progress)
            if all(_has_ended(model) for model in models):
                return


def _has_ended(model: "ModelStatus") -> bool:
    return model.loading.state in (LoadState.READY, LoadState.FAILED)
