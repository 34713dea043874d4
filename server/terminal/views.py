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
from kb.models.loading import LoadState
from server.cli.conversation import early_end, no_room
from server.cli.models import progress_bar
from server.http import schemas
from server.terminal.cleaning import printable

if TYPE_CHECKING:
    from kb.knowledge_base import KnowledgeBase, ModelStatus
    from server.terminal.diagnosis import Diagnosis

QUOTE_CHARS = 200
POLL_SECONDS = 0.2

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def show_serving(url: str, folders: Sequence[Path]) -> None:
    """Says where the service listens and what it watches."""
    watched = ", ".join(map(str, folders))
    err.print(Text.assemble(("r1-kb", "bold"), " at ", (url, f"link {url}"), f" · watching {watched} · Ctrl+C stops"))


def show_error(error: KBError) -> None:
    """Says what went wrong and what to do."""
    err.print(f"[bold red]error:[/] {_escaped(error.message)}")
    if error.hint:
        err.print(f"[dim]→ {_escaped(error.hint)}[/]")


class AnswerView:
    """Draws one answer while it comes: reasoning dim and apart, the answer, then its sources."""

    def __init__(self, show_reasoning: bool) -> None:
        self._show_reasoning = show_reasoning
        self._thinking = False
        self._in_line = False

    def close(self) -> None:
        """Ends the line of a thought or an answer that broke off."""
        self._end_thought()
        if self._in_line:
            out.print()
        self._in_line = False

    def show(self, body: BaseModel) -> None:
        """Draws one event."""
        match body:
            case schemas.PassagesEvent():
                found = ", ".join(dict.fromkeys(passage.source for passage in body.passages))
                err.print(f"[dim]found: {_escaped(found or 'nothing')}[/]")
            case schemas.WaitingEvent():
                err.print(f"[dim]{_queue(body.place)}[/]")
            case schemas.ReasoningEvent():
                self._show_thought(body.text)
            case schemas.AnswerEvent():
                self._end_thought()
                out.print(Text(printable(body.text)), end="")
                self._in_line = True
            case schemas.Answer():
                self.close()
                self._show_sources(body)

    def _show_thought(self, text: str) -> None:
        if not self._thinking:
            err.print("[dim]thinking …[/]")
        self._thinking = True
        if self._show_reasoning:
            err.print(Text(printable(text), style="dim italic"), end="")

    def _end_thought(self) -> None:
        if self._thinking and self._show_reasoning:
            err.print("\n")
        self._thinking = False

    def _show_sources(self, answer: schemas.Answer) -> None:
        if answer.answerable:
            show_citations(answer.citations, QUOTE_CHARS)
        else:
            show_passages(answer.passages)
        _show_changed_files(answer.index)
        if answer.finish_reason == "no_evidence":
            return
        seconds, tokens = answer.timings.total_ms / 1000, answer.timings.prompt_tokens
        err.print(f"\n[dim]{_escaped(answer.model)} · {seconds:.1f} s · {tokens} prompt tokens[/]")
        for remark in filter(None, (early_end(answer), no_room(answer.left_out))):
            err.print(f"[dim]{remark}.[/]")


def show_citations(citations: Sequence[schemas.Citation], quote_chars: int | None = None) -> None:
    """Lists what an answer cites, each quote once.

    Args:
        quote_chars: Longer quotes are cut; None: they are shown whole.
    """
    for citation in {citation.number: citation for citation in citations}.values():
        confirms = [other.verified for other in citations if other.number == citation.number]
        what = "all sentences that it stands for" if any(confirms) else "it"
        doubt = "" if all(confirms) else f" [yellow](the quote does not confirm {what})[/]"
        out.print(f"\n[bold]\\[{citation.number}][/] {_escaped(_place(citation))}{doubt}")
        out.print(f"    [dim]{_escaped(_shortened(citation.quote, quote_chars))}[/]")


def show_passages(passages: Sequence[schemas.Passage], unseen: Sequence[int] = ()) -> None:
    """Lists passages with their place.

    Args:
        unseen: Numbers of those that the model did not see.
    """
    for passage in passages:
        remark = " [dim](not seen by the model)[/]" if passage.number in unseen else ""
        out.print(f"\n[bold]{passage.number}.[/] {_escaped(_place(passage))}{remark}")
        out.print(f"   [dim]{_escaped(_shortened(passage.text, QUOTE_CHARS))}[/]")


def show_forgotten(documents: Sequence[schemas.Document]) -> None:
    """Says what became of documents that the user wanted out of the index."""
    for document in documents:
        out.print(f"forgotten: {document.root}/{document.source}", markup=False)
    err.print("[dim]The text is wiped from the data directory; the files themselves are untouched.[/]")


def show_diagnoses(diagnoses: Sequence["Diagnosis"]) -> None:
    """Lists what `kb doctor` found."""
    marks = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}
    for diagnosis in diagnoses:
        out.print(f"{marks[diagnosis.level]} {escape(diagnosis.text)}")
        if diagnosis.hint:
            out.print(f"  [dim]→ {escape(diagnosis.hint)}[/]")


def show_sync(result: schemas.SyncResponse) -> None:
    """Says what the index holds now."""
    files = "1 file" if result.failed == 1 else f"{result.failed} files"
    failed = f", [yellow]{files} not indexed (see `kb status`)[/]" if result.failed else ""
    out.print(f"{result.documents} documents, {result.chunks} chunks{failed} · {result.seconds:.1f} s")


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
            knowledge_base.wait_for_model()


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


def _draw_downloads(knowledge_base: "KnowledgeBase", stop: threading.Event) -> None:
    with progress_bar() as report:
        while not stop.wait(POLL_SECONDS):
            models = [knowledge_base.embedding_model(), knowledge_base.answering_model()]
            models += [reranker] if (reranker := knowledge_base.reranker()) else []
            for model in models:
                if model.loading.progress:
                    report(model.loading.progress)
            if all(_has_ended(model) for model in models):
                return


def _has_ended(model: "ModelStatus") -> bool:
    return model.loading.state in (LoadState.READY, LoadState.FAILED)


def _queue(place: int) -> str:
    if place == 0:
        return "it is your turn"
    return "1 question before yours" if place == 1 else f"{place} questions before yours"


def _place(item: schemas.Passage | schemas.Citation) -> str:
    where = [item.source]
    if item.page:
        where.append(f"p. {item.page}")
    if item.heading:
        where.append(item.heading)
    return " · ".join(where)


def _shortened(text: str, limit_chars: int | None) -> str:
    line = " ".join(text.split())
    return line if limit_chars is None or len(line) <= limit_chars else line[:limit_chars].rstrip() + " …"


def _escaped(text: str) -> str:
    """Text from outside, so that neither the console nor the terminal takes a part of it for more than text."""
    return escape(printable(text))


def _show_changed_files(index: schemas.Index) -> None:
    if index.refreshed:
        err.print(f"\n[dim]changed, and brought up to date for this answer: {_escaped(', '.join(index.refreshed))}[/]")
    if index.stale:
        err.print(f"\n[yellow]changed or gone, so left out of this answer: {_escaped(', '.join(index.stale))}[/]")
