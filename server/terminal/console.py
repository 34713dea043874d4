"""The two consoles, and the short messages of the commands.

Answers and results go to standard output, all else to standard error, so that a pipe gets the answer alone.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType
from rich.logging import RichHandler
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from kb.errors import KBError
from server.http import schemas
from server.terminal.cleaning import on_one_line, printable
from server.terminal.diagnosis import Diagnosis


class _Console(Console):
    """Whatever is shown, and wherever it came from: the terminal obeys this program alone."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


out = _Console(highlight=False, soft_wrap=True, emoji=False)
err = _Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


class LogFormatter(logging.Formatter):
    """One line for each message, whatever the names in it; a traceback may have several."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry."""
        return printable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - it is logging's
        """The entry without its traceback."""
        return on_one_line(super().formatMessage(record)).strip()


def log_handler(console: Console) -> logging.Handler:
    """Writes the log to a console: in columns on a terminal; elsewhere each entry on one line, however long."""
    if console.is_terminal:
        handler: logging.Handler = RichHandler(console=console, show_path=False, markup=False, highlighter=None)
        handler.setFormatter(LogFormatter("%(message)s", "%H:%M:%S"))
    else:
        handler = logging.StreamHandler(console.file)
        handler.setFormatter(LogFormatter("%(asctime)s %(levelname)-8s %(message)s", "%Y-%m-%d %H:%M:%S"))
    return handler


def escaped(text: str) -> str:
    """Text from outside on one line, so that nothing takes a part of it for more than text."""
    return escape(on_one_line(text))


def remark(text: str) -> None:
    """Says on standard error what goes on."""
    err.print(text, style="dim", markup=False)


def show_serving(url: str, folders: Sequence[Path]) -> None:
    """Says where the service listens and what it watches."""
    watched = on_one_line(", ".join(map(str, folders)))
    err.print(Text.assemble(("r1-kb", "bold"), " at ", (url, f"link {url}"), f" · watching {watched} · Ctrl+C stops"))


def show_error(error: KBError) -> None:
    """Says what went wrong and what to do."""
    err.print(f"[bold red]error:[/] {escaped(error.message)}")
    if error.hint:
        err.print(f"[dim]→ {escaped(error.hint)}[/]")


def show_forgotten(documents: Sequence[schemas.Document]) -> None:
    """Says what became of documents that the user wanted out of the index."""
    for document in documents:
        out.print(f"forgotten: {escaped(f'{document.root}/{document.source}')}")
    err.print("[dim]The text is wiped from the data directory; the files themselves are untouched.[/]")


def show_diagnoses(diagnoses: Sequence[Diagnosis]) -> None:
    """Lists what `kb doctor` found."""
    marks = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}
    for diagnosis in diagnoses:
        out.print(f"{marks[diagnosis.level]} {escaped(diagnosis.text)}")
        if diagnosis.hint:
            out.print(f"  [dim]→ {escaped(diagnosis.hint)}[/]")


def show_sync(result: schemas.SyncResponse) -> None:
    """Says what the index holds now."""
    files = "1 file" if result.failed == 1 else f"{result.failed} files"
    failed = f", [yellow]{files} not indexed (see `kb status`)[/]" if result.failed else ""
    out.print(f"{result.documents} documents, {result.chunks} chunks{failed} · {result.seconds:.1f} s")
