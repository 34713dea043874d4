"""`kb status` in words: models, folders, what goes on, and each file that is not indexed, with the reason."""

import datetime
from collections.abc import Mapping, Sequence
from itertools import islice

from rich.console import Console
from rich.table import Table

from kb.values.documents import FailureKind
from server.http import schemas
from server.terminal.console import escaped
from server.terminal.work_view import work_line

_JUDGE = {
    "ready": "",
    "uncalibrated": "not yet: the answering model is tried out when it is there and nobody asks (or by kb calibrate)",
    "calibrating": "not yet: the answering model is being tried out",
    "unable": "none: the answering model has turned out to be no judge of what it writes",
}

MAX_EXTENSIONS = 8
MAX_PAGES = 12


def show_status(console: Console, status: schemas.Status) -> None:
    """Shows the state of the service."""
    console.print(_table(status))
    if status.models.answer.note:
        console.print(f"\n{escaped(status.models.answer.note)}")
    for error in (status.index.error, status.models.answer.error, status.models.embedding.error):
        if error:
            console.print(f"\n[red]{escaped(error.message)}[/]\n[dim]→ {escaped(error.hint)}[/]")
    if (reranker := status.models.reranker) and reranker.error:
        console.print(f"\n[yellow]{escaped(reranker.note)}:[/] {escaped(reranker.error.message)}")
        console.print(f"[dim]→ {escaped(reranker.error.hint)}[/]")
    if status.index.degraded:
        console.print("\n[yellow]degraded:[/] the system sends no file events; changes are seen a few seconds later")
        console.print("[dim]→ on Linux, raise fs.inotify.max_user_watches[/]")
    if status.unsupported:
        console.print(f"\n[dim]not read, type unknown: {escaped(extensions(status.unsupported))}[/]")
    several = len(status.folders) > 1
    forgotten = [failure for failure in status.failures if failure.kind is FailureKind.FORGOTTEN]
    _show_partly_read(console, status.partly_read, several)
    _show_failures(console, [failure for failure in status.failures if failure not in forgotten], several)
    _show_forgotten(console, forgotten, several)


def when(moment: datetime.datetime) -> str:
    """Writes a moment in local time; the day only where it is another one."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.datetime.now().date() else f"{local:%Y-%m-%d %H:%M}"


def next_try(failure: schemas.Failure) -> str:
    """Says when a file is tried again."""
    if failure.next_try_at:
        return f"next try: {when(failure.next_try_at)}"
    if failure.kind is FailureKind.QUARANTINED:
        return "quarantined; next try: when the file changes, or with `kb sync --retry`"
    return "next try: when the file changes"


def extensions(unsupported: Mapping[str, int]) -> str:
    """Lists how many files there are of each type, most first."""
    ordered = sorted(unsupported.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count:,} {extension or 'without extension'}" for extension, count in islice(ordered, MAX_EXTENSIONS)]
    others = sum(count for _, count in ordered[MAX_EXTENSIONS:])
    return ", ".join([*named, f"{others:,} others"] if others else named)


def _table(status: schemas.Status) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    index = status.index
    for folder in status.folders:
        gone = " [red](cannot be read now; its documents are kept)[/]"
        table.add_row("folder", escaped(folder.path) + ("" if folder.reachable else gone))
    table.add_row("documents", f"{status.documents} ({status.chunks} chunks)")
    table.add_row("waiting", f"{index.pending}" + (f", now {escaped(index.current)}" if index.current else ""))
    if line := work_line(index):
        table.add_row("indexing", line)
    if index.pages_to_scan:
        now = f", now {escaped(index.scanning)}" if index.scanning else ""
        table.add_row("pictures", f"{index.pages_to_scan:,} to be read by OCR{now}")
    table.add_row("last sync", when(index.last_sync) if index.last_sync else "never")
    table.add_row("answers", _model_line(status.models.answer))
    if status.models.small:
        table.add_row("answers what is plain", _model_line(status.models.small))
    table.add_row("embeds", _model_line(status.models.embedding))
    if status.models.reranker:
        table.add_row("reranks", _model_line(status.models.reranker))
    if (judge := status.judge) and (judge.note or judge.state != "ready"):
        table.add_row(
            "judge", " ".join(filter(None, (_JUDGE[judge.state] + _share(judge.progress), escaped(judge.note))))
        )
    return table


def _share(progress: schemas.Progress | None) -> str:
    return f" [dim]({100 * progress.done // progress.total} %)[/]" if progress and progress.total else ""


def _model_line(model: schemas.Model) -> str:
    state: str = model.state
    if model.progress and model.progress.total:
        state += f" {100 * model.progress.done // model.progress.total} %"
    seen = f", on {escaped(model.host)}" if model.host else ""
    return f"{escaped(model.name) or 'no model'} [dim]({state}{seen})[/]"


def _show_partly_read(console: Console, documents: Sequence[schemas.Document], with_root: bool) -> None:
    if documents:
        console.print(f"\n[yellow]partly read ({len(documents)}):[/]")
    for document in documents:
        console.print(f"  {escaped(_name(document, with_root))}: {_unread(document)}")
    if documents:
        console.print("  [dim]→ pictures of pages are read when nothing else waits, unless KB_OCR=off[/]")


def _unread(document: schemas.Document) -> str:
    pages = document.unread_pages
    named = ", ".join(map(str, pages[:MAX_PAGES])) + (", …" if len(pages) > MAX_PAGES else "")
    return f"{len(pages)} of {document.page_count} pages {'has' if len(pages) == 1 else 'have'} no text: {named}"


def _show_failures(console: Console, failures: Sequence[schemas.Failure], with_root: bool) -> None:
    if failures:
        console.print(f"\n[yellow]not indexed ({len(failures)}):[/]")
    for failure in failures:
        console.print(f"  {escaped(_name(failure, with_root))}: {escaped(failure.reason)}")
        if failure.hint:
            console.print(f"    [dim]→ {escaped(failure.hint)}[/]")
        times = "once" if failure.attempts == 1 else f"{failure.attempts} times, last"
        console.print(f"    [dim]tried {times}: {when(failure.failed_at)}; {escaped(next_try(failure))}[/]")


def _show_forgotten(console: Console, failures: Sequence[schemas.Failure], with_root: bool) -> None:
    if failures:
        console.print(f"\n[dim]forgotten at your wish, until the file changes or is added again ({len(failures)}):[/]")
    for failure in failures:
        console.print(f"  [dim]{escaped(_name(failure, with_root))} ({when(failure.failed_at)})[/]")


def _name(file: schemas.Failure | schemas.Document, with_root: bool) -> str:
    return f"{file.root}/{file.source}" if with_root else file.source
