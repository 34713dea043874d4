"""How fast folders are indexed, against the plain way of doing it, in the same run.

The plain way is what a short script would do: page texts by pypdf, cut every 1,000 characters with an overlap of 200,
`SentenceTransformer.encode` and `collection.add`, all with their defaults. Each side works in a process of its own,
with an index of its own that is thrown away. Loading the model is not counted, on either side.

Where the time goes is measured around `ParserProcess.parse`, `embed_passages` and `KnowledgeBase.replace`; what of the
last is not embedding is writing. Files are parsed while others are embedded, so that the shares add up to more than the
whole where the work really overlaps. Memory is what a process and its children have resident, sampled; pages that they
share count for each of them.
"""

import dataclasses
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from ingest.settings import IngestSettings
from kb.errors import InvalidRequest, KBError
from kb.models.store import ModelStore
from server.measure.bench.comparison import Comparison
from server.measure.bench.ingest_ways import Result, index_our_way, index_plain_way
from server.measure.bench.memory import resident_bytes
from server.terminal import console
from server.terminal.loading import progress_bar

SAMPLE_SECONDS = 0.05
PLAIN_WAY = "libraries alone"

Side = Callable[[IngestSettings, Sequence[Path], Callable[[], None]], Result]
"""Indexes folders; calls the function when the model is loaded and the work begins."""


def measure_ingestion(settings: IngestSettings, folders: Sequence[Path], *, plain: bool) -> list[Comparison]:
    """Indexes folders, and throws the index away.

    Args:
        plain: Whether the plain way is measured, too.

    Raises:
        InvalidRequest: One of them is not a folder.
        ModelError: The embedding model cannot be had.
    """
    folders = [folder.resolve() for folder in folders]
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise InvalidRequest(f"{missing[0]} is not a folder", "name folders with files that can be read")
    settings = settings.model_copy(update={"folders": (), "settle_seconds": 0.0})
    with progress_bar() as report:
        ModelStore(settings.models).pull(settings.embedding_model, report)
    ours = _figures(_measure(index_our_way, settings, folders))
    theirs = _figures(_measure(index_plain_way, settings, folders)) if plain else {}
    return [Comparison(what, value, theirs.get(what), PLAIN_WAY if plain else "") for what, value in ours.items()]


def _figures(result: Result) -> dict[str, float]:
    return {
        "files": result.files,
        "files that failed": result.failed,
        "pages": result.pages,
        "chunks": result.chunks,
        "seconds": result.seconds,
        "chunks/s": result.chunks / result.seconds,
        "reading, share of the time": result.parse_share,
        "embedding, share of the time": result.embed_share,
        "writing, share of the time": result.write_share,
        "peak memory, MB": result.peak_bytes / 1e6,
    }


def _measure(side: Side, settings: IngestSettings, folders: Sequence[Path]) -> Result:
    """Runs one side in a process of its own, and watches its memory while it works."""
    context = multiprocessing.get_context("spawn")
    pipe, childs = context.Pipe()
    with tempfile.TemporaryDirectory() as home:
        own = settings.model_copy(update={"home": Path(home)})
        process = context.Process(target=_work, args=(childs, side, own, folders))
        process.start()
        childs.close()
        try:
            return _watch(pipe, process.pid)
        except EOFError as error:
            raise KBError("the process that indexes has ended", "what it said stands above") from error
        finally:
            process.join()


def _watch(pipe: Connection, pid: int | None) -> Result:
    console.remark("loading the model")
    pipe.recv()
    console.remark("working")
    peak = resident_bytes(pid)  # it may be done before the first look
    while not pipe.poll(SAMPLE_SECONDS):
        peak = max(peak, resident_bytes(pid))
    result: Result = pipe.recv()
    return dataclasses.replace(result, peak_bytes=peak)


def _work(pipe: Connection, side: Side, settings: IngestSettings, folders: Sequence[Path]) -> None:
    pipe.send(side(settings, folders, lambda: pipe.send(None)))
