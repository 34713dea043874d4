"""`kb bench`: measures speed and size on this machine. What is measured, `server.measure.bench` knows.

Errors pass through: the command line as a whole turns a `KBError` into a message and an exit code.
"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import progress as bars
from rich.filesize import decimal
from rich.table import Table

from kb import settings
from kb.errors import InvalidRequest
from server.settings import ServerSettings
from server.terminal import console
from server.terminal.loading import show_loading

if TYPE_CHECKING:
    from server.measure.bench.search_run import Show, Size

app = typer.Typer(help="Measure speed and size on this machine.", no_args_is_help=True)

NOTE = (
    "Documents are made up, and so are their vectors, near real ones; each question is embedded by the real model. "
    "Times are in milliseconds, from the question to its passages; those of the parts are medians. A filter leaves "
    "half of the documents to be searched, or 1 in 50."
)


@app.command()
def search(
    chunks: Annotated[str, typer.Option(help="Sizes, in chunks, with commas between.")] = "1000,10000,100000",
    queries: Annotated[int, typer.Option(min=1, help="How many questions at each size.")] = 100,
    base: Annotated[
        Path | None, typer.Option(help="Keep the knowledge base in this folder, so that the next run is quick.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measures how long a search takes in knowledge bases of several sizes, and what they need of memory and disk.

    They are made of synthetic documents; 100,000 chunks take some minutes, and about a gigabyte of disk meanwhile.

    Examples:

    kb bench search --chunks 1000,10000

    kb bench search --base ~/bench-base --json > before.json
    """
    from kb.wiring import open_knowledge_base
    from server.measure.bench.search_run import SearchBenchmark
    from server.measure.bench.synthetic import SyntheticEmbedder
    from server.measure.eval.corpus import workplace

    sizes = _sizes(chunks)
    current = settings.load(kind=ServerSettings)
    found = []
    with workplace(base) as place:
        own = current.model_copy(update={"home": place / "home", "folders": (), "reranker": ""})
        with open_knowledge_base(own, wrap=SyntheticEmbedder) as knowledge_base:
            show_loading(knowledge_base, False)
            benchmark = SearchBenchmark(knowledge_base, own.home, queries)
            for size in sizes:
                with _progress(f"{size:,} chunks") as show:
                    found.append(benchmark.grow(size, show))
    if as_json:
        print(json.dumps({"note": NOTE, "sizes": [dataclasses.asdict(size) for size in found]}, indent=2))
    else:
        show_sizes(found)


def show_sizes(sizes: Sequence["Size"]) -> None:
    """Prints what was measured."""
    times = Table(box=None, pad_edge=False)
    parts = list(sizes[0].searches[0].parts)
    for name in ("chunks", "searched", "p50", "p95", "max", *parts):
        times.add_column(name, justify="left" if name == "searched" else "right", no_wrap=True)
    for size in sizes:
        for searches in size.searches:
            whole, medians = searches.whole, (searches.parts[name].p50 for name in parts)
            milliseconds = (f"{value:.1f}" for value in (whole.p50, whole.p95, whole.longest, *medians))
            times.add_row(f"{size.chunks:,}", searches.where, *milliseconds)
    room = Table(box=None, pad_edge=False)
    for name in ("chunks", "documents", "built in", "memory", "catalog", "index"):
        room.add_column(name, justify="right", no_wrap=True)
    for size in sizes:
        disk = (decimal(value) for value in (size.resident_bytes, size.catalog_bytes, size.index_bytes))
        room.add_row(f"{size.chunks:,}", f"{size.documents:,}", f"{size.build_seconds:.0f} s", *disk)
    console.out.print(times, room, sep="\n\n")
    console.out.print(f"\n[dim]{NOTE}[/]")


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part.replace("_", "")) for part in text.split(",")]
    except ValueError as error:
        raise InvalidRequest(f"--chunks {text!r} is no list of numbers", "for example --chunks 1000,10000") from error
    if not all(before < after for before, after in zip([0, *sizes], sizes, strict=False)):
        raise InvalidRequest(f"--chunks {text!r} does not grow", "name the smallest size first; one base grows to all")
    return sizes


@contextmanager
def _progress(label: str) -> Iterator["Show"]:
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=console.err, transient=True) as display:
        task = display.add_task(label)
        yield lambda done, total: display.update(task, completed=done, total=total)
