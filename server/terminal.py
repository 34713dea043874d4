"""What the terminal shows: answers as they stream, passages, errors, and how far models are.

Answers and results go to standard output, all else to standard error, so that a pipe gets the answer alone.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from kb.errors import KBError
from kb.loading import LoadState
from server import schemas
from server.models_cli import progress_bar

if TYPE_CHECKING:
    from kb.library import KnowledgeBase, ModelStatus
    from server.doctor import Finding

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


def show_forgotten(documents: Sequence[schemas.Document]) -> None:
    """Says what became of documents that the user wanted out of the index."""
    for document in documents:
        out.print(f"forgotten: {document.root}/{document.source}", markup=False)
    err.print("[dim]The text is wiped from the data directory; the files themselves are untouched.[/]")


def show_findings(findings: Sequence["Finding"]) -> None:
    """Lists what `kb doctor` found."""
    marks = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}
    for finding in findings:
        out.print(f"{marks[finding.level]} {escape(finding.text)}")
        if finding.hint:
            out.print(f"  [dim]→ {escape(finding.hint)}[/]")


def show_sync(result: schemas.SyncResponse) -> None:
    """Says what the index holds now."""
    files = "1 file" if result.failed == 1 else f"{result.failed} files"
    failed = f", [yellow]{files} not indexed (see `kb status`)[/]" if result.failed else ""
    out.print(f"{result.documents} documents, {result.chunks} chunks{failed} · {result.seconds:.1f} s")


def show_loading(library: "KnowledgeBase", answering: bool) -> None:
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
def loading_bars(library: "KnowledgeBase") -> Iterator[None]:
    """Draws the download of models while the block runs."""
    stop = threading.Event()
    drawing = threading.Thread(target=_draw_downloads, args=(library, stop), name="downloads", daemon=True)
    drawing.start()
    try:
        yield
    finally:
        stop.set()
        drawing.join()


def _draw_downloads(library: "KnowledgeBase", stop: threading.Event) -> None:
    with progress_bar() as report:
        while not stop.wait(POLL_SECONDS):
            models = [library.embedding_model(), library.answering_model()]
            models += [reranker] if (reranker := library.reranker()) else []
            for model in models:
                if model.loading.progress:
                    report(model.loading.progress)
            if all(_has_ended(model) for model in models):
                return


def _has_ended(model: "ModelStatus") -> bool:
    return model.loading.state in (LoadState.READY, LoadState.FAILED)


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
