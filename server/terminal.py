"""What the terminal shows: answers as they stream, passages, states, and how far anything is that takes long.

Answers and results go to standard output, all else to standard error, so that a pipe gets the answer alone.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from kb.errors import KBError
from kb.library import KnowledgeBase, ModelStatus
from kb.loading import LoadState
from server import schemas
from server.doctor import Finding
from server.models_cli import progress_bar

QUOTE_CHARS = 200
POLL_SECONDS = 0.2

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def show_serving(url: str, folders: Sequence[Path]) -> None:
    """Says where the service listens and what it watches."""
    watched = ", ".join(map(str, folders))
    err.print(Text.assemble(("r1-kb", "bold"), " at ", (url, f"link {url}"), f" · watching {watched} · Ctrl+C stops"))


def show_error(error: KBError) -> None:
    """Says what went wrong and what to do."""
    err.print(f"[bold red]error:[/] {escape(error.message)}")
    if error.hint:
        err.print(f"[dim]→ {escape(error.hint)}[/]")


class AnswerView:
    """Draws one answer while it comes: reasoning dim and apart, the answer, then its sources."""

    def __init__(self, show_reasoning: bool) -> None:
        self._show_reasoning = show_reasoning
        self._thinking = False

    def show(self, body: BaseModel) -> None:
        """Draws one event."""
        match body:
            case schemas.PassagesEvent():
                found = ", ".join(dict.fromkeys(passage.source for passage in body.passages))
                err.print(f"[dim]found: {escape(found or 'nothing')}[/]")
            case schemas.ReasoningEvent():
                self._show_thought(body.text)
            case schemas.AnswerEvent():
                self._end_thought()
                out.print(Text(body.text), end="")
            case schemas.Answer():
                out.print()
                self._show_sources(body)

    def _show_thought(self, text: str) -> None:
        if not self._thinking:
            err.print("[dim]thinking …[/]")
        self._thinking = True
        if self._show_reasoning:
            err.print(Text(text, style="dim italic"), end="")

    def _end_thought(self) -> None:
        if self._thinking and self._show_reasoning:
            err.print("\n")
        self._thinking = False

    def _show_sources(self, answer: schemas.Answer) -> None:
        if not answer.answerable:
            show_passages(answer.passages)
            return
        for citation in {citation.number: citation for citation in answer.citations}.values():
            doubt = "" if citation.verified else " [yellow](the quote does not confirm it)[/]"
            out.print(f"\n[bold]\\[{citation.number}][/] {escape(_place(citation))}{doubt}")
            out.print(f"    [dim]{escape(_shortened(citation.quote))}[/]")
        seconds, tokens = answer.timings.total_ms / 1000, answer.timings.prompt_tokens
        err.print(f"\n[dim]{escape(answer.model)} · {seconds:.1f} s · {tokens} prompt tokens[/]")


def show_passages(passages: Sequence[schemas.Passage]) -> None:
    """Lists passages with their place."""
    for passage in passages:
        out.print(f"\n[bold]{passage.number}.[/] {escape(_place(passage))}")
        out.print(f"   [dim]{escape(_shortened(passage.text))}[/]")


def show_status(status: schemas.Status) -> None:
    """Shows the state of the service: models, folders, queue, and every failure with its reason."""
    table = Table(box=None, show_header=False, pad_edge=False)
    index = status.index
    for folder in status.folders:
        table.add_row("folder", escape(folder.path) + ("" if folder.reachable else " [red](cannot be read now)[/]"))
    table.add_row("documents", f"{status.documents} ({status.chunks} chunks)")
    table.add_row("waiting", f"{index.pending}" + (f", now {escape(index.current)}" if index.current else ""))
    table.add_row("last sync", f"{index.last_sync:%Y-%m-%d %H:%M:%S} UTC" if index.last_sync else "never")
    table.add_row("answers", _model_line(status.models.answer))
    table.add_row("embeds", _model_line(status.models.embedding))
    out.print(table)
    if status.models.answer.note:
        out.print(f"\n{escape(status.models.answer.note)}")
    for error in (index.error, status.models.answer.error, status.models.embedding.error):
        if error:
            out.print(f"\n[red]{escape(error.message)}[/]\n[dim]→ {escape(error.hint)}[/]")
    if index.degraded:
        out.print("\n[yellow]degraded:[/] the system sends no file events; changes are seen a few seconds later")
    if status.failures:
        out.print(f"\n[yellow]not indexed ({len(status.failures)}):[/]")
        for failure in status.failures:
            out.print(f"  {escape(failure.source)}: {escape(failure.reason)}")
            if failure.hint:
                out.print(f"    [dim]→ {escape(failure.hint)}[/]")


def show_findings(findings: Sequence[Finding]) -> None:
    """Lists what `kb doctor` found."""
    marks = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}
    for finding in findings:
        out.print(f"{marks[finding.level]} {escape(finding.text)}")
        if finding.hint:
            out.print(f"  [dim]→ {escape(finding.hint)}[/]")


def show_sync(result: schemas.SyncResponse) -> None:
    """Says what the index holds now."""
    failed = f", [yellow]{result.failed} files not indexed (see `kb status`)[/]" if result.failed else ""
    out.print(f"{result.documents} documents, {result.chunks} chunks{failed} · {result.seconds:.1f} s")


@contextmanager
def sync_progress() -> Iterator[Callable[[schemas.Status], None]]:
    """Shows how far a sync is, on a line that goes away.

    Yields:
        What to tell the state to.
    """
    with err.status("looking at the folders …") as line:

        def show(status: schemas.Status) -> None:
            if status.index.current:
                line.update(f"{status.index.pending} files to go, now {escape(status.index.current)}")

        yield show


def show_loading(library: KnowledgeBase, answering: bool) -> None:
    """Waits for the models, and shows how far they are.

    Args:
        answering: Whether the answering model is waited for, too.

    Raises:
        ModelError: A model is missing or does not load.
    """
    with loading_bars(library):
        library.wait_for_retrieval()
        if answering:
            library.wait_for_model()


@contextmanager
def loading_bars(library: KnowledgeBase) -> Iterator[None]:
    """Draws the download of models while the block runs."""
    stop = threading.Event()
    drawing = threading.Thread(target=_draw_downloads, args=(library, stop), name="downloads", daemon=True)
    drawing.start()
    try:
        yield
    finally:
        stop.set()
        drawing.join()


def _draw_downloads(library: KnowledgeBase, stop: threading.Event) -> None:
    with progress_bar() as report:
        while not stop.wait(POLL_SECONDS):
            models = (library.embedding_model(), library.answering_model())
            for model in models:
                if model.loading.progress:
                    report(model.loading.progress)
            if all(_has_ended(model) for model in models):
                return


def _has_ended(model: ModelStatus) -> bool:
    return model.loading.state in (LoadState.READY, LoadState.FAILED)


def _model_line(model: schemas.Model) -> str:
    state: str = model.state
    if model.progress and model.progress.total:
        state += f" {100 * model.progress.done // model.progress.total} %"
    return f"{escape(model.name) or 'no model'} [dim]({state})[/]"


def _place(item: schemas.Passage | schemas.Citation) -> str:
    where = [item.source]
    if item.page:
        where.append(f"p. {item.page}")
    if item.heading:
        where.append(item.heading)
    return " · ".join(where)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTE_CHARS else line[:QUOTE_CHARS].rstrip() + " …"
