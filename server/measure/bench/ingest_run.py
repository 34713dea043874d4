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
import functools
import itertools
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from ingest.settings import IngestSettings
from kb.errors import InvalidRequest
from kb.models.store import ModelStore
from server.measure.bench.comparison import Comparison
from server.terminal import console
from server.terminal.loading import progress_bar

CHUNK_CHARS, OVERLAP_CHARS = 1000, 200
ADD_BATCH = 5000  # Chroma takes at most 5461 at a time
SAMPLE_SECONDS = 0.05
SHOW_SECONDS = 5.0
PLAIN_WAY = "libraries alone"
EXTENSIONS = (".pdf", ".md", ".markdown", ".txt")


@dataclass(frozen=True, slots=True)
class Result:
    """What one side did.

    Attributes:
        pages: Of the formats that have pages.
        peak_bytes: Resident memory of the process and its children together, while it worked.
        parse_share: With the two below, seconds in this part for each second of the whole.
    """

    files: int
    failed: int
    pages: int
    chunks: int
    seconds: float
    parse_share: float
    embed_share: float
    write_share: float
    peak_bytes: int = 0


Side = Callable[[IngestSettings, Sequence[Path], Callable[[], None]], Result]
"""Indexes folders; calls the function when the model is loaded and the work begins."""


class Stopwatch:
    """Adds up the seconds that calls take, of all threads together."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def around(self, owner: type, name: str) -> None:
        """Measures a method of a class from now on."""
        method = getattr(owner, name)

        @functools.wraps(method)
        def measured(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                self.add(time.perf_counter() - began)

        setattr(owner, name, measured)

    def add(self, seconds: float) -> None:
        """Adds some seconds."""
        with self._lock:
            self.seconds += seconds


def index_our_way(settings: IngestSettings, folders: Sequence[Path], begin: Callable[[], None]) -> Result:
    """Runs the pipeline of this project over folders, once."""
    from ingest.pipeline.pipeline import Pipeline
    from ingest.sandbox.parser import ParserProcess
    from kb.adapters.embedding.onnx_embedder import OnnxEmbedder
    from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
    from kb.knowledge_base import KnowledgeBase
    from kb.wiring import open_knowledge_base

    parsing, embedding, replacing = Stopwatch(), Stopwatch(), Stopwatch()
    parsing.around(ParserProcess, "parse")
    embedding.around(OnnxEmbedder, "embed_passages")
    embedding.around(SentenceTransformerEmbedder, "embed_passages")
    replacing.around(KnowledgeBase, "replace")
    with open_knowledge_base(settings) as knowledge_base, ThreadPoolExecutor(1) as waiting:
        knowledge_base.wait_for_index()
        pipeline = Pipeline(knowledge_base, folders, settings)
        begin()
        began = time.perf_counter()
        pipeline.start()
        syncing = waiting.submit(pipeline.sync)
        while not wait([syncing], SHOW_SECONDS).done:
            console.remark(f"{len(pipeline.status.pending)} files wait, {knowledge_base.counts()[1]} chunks are there")
        seconds = time.perf_counter() - began
        pipeline.stop()
        documents = knowledge_base.documents()
        return Result(
            files=len(documents),
            failed=len(knowledge_base.failures()),
            pages=sum(document.page_count or 0 for document in documents),
            chunks=sum(document.chunk_count for document in documents),
            seconds=seconds,
            parse_share=parsing.seconds / seconds,
            embed_share=embedding.seconds / seconds,
            write_share=(replacing.seconds - embedding.seconds) / seconds,
        )


def index_plain_way(settings: IngestSettings, folders: Sequence[Path], begin: Callable[[], None]) -> Result:
    """Does the same work with the libraries alone."""
    import chromadb
    from pypdf.errors import PyPdfError
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(ModelStore(settings.models).find(settings.embedding_model)), local_files_only=True)
    collection = chromadb.PersistentClient(str(settings.home / "plain")).create_collection(
        "plain", embedding_function=None
    )
    files = [path for folder in folders for path in _files(folder)]
    chunks: list[str] = []
    failed = pages = 0
    begin()
    times = [time.perf_counter()]
    for path in files:
        try:
            texts, page_count = _plain_texts(path)
        except (PyPdfError, OSError, ValueError) as error:
            console.remark(f"{path}: {error}")
            failed += 1
            continue
        pages += page_count
        chunks += [chunk for text in texts for chunk in _fixed_chunks(text)]
    times.append(time.perf_counter())
    console.remark(f"{len(chunks)} chunks are cut")
    vectors = model.encode(chunks)
    times.append(time.perf_counter())
    for i in range(0, len(chunks), ADD_BATCH):
        batch = slice(i, i + ADD_BATCH)
        ids = [str(number) for number in range(len(chunks))[batch]]
        collection.add(ids=ids, embeddings=vectors[batch], documents=chunks[batch])
    times.append(time.perf_counter())
    seconds = times[-1] - times[0]
    parse, embed, write = ((end - start) / seconds for start, end in itertools.pairwise(times))
    return Result(len(files) - failed, failed, pages, len(chunks), seconds, parse, embed, write)


def measure(side: Side, settings: IngestSettings, folders: Sequence[Path]) -> Result:
    """Runs one side in a process of its own, and watches its memory while it works."""
    context = multiprocessing.get_context("spawn")
    pipe, childs = context.Pipe()
    with tempfile.TemporaryDirectory() as home:
        own = settings.model_copy(update={"home": Path(home)})
        process = context.Process(target=_work, args=(childs, side, own, folders))
        process.start()
        childs.close()
        console.remark(f"{side.__name__}: loading the model")
        pipe.recv()
        console.remark(f"{side.__name__}: working")
        peak = 0
        while not pipe.poll(SAMPLE_SECONDS):
            peak = max(peak, _resident_bytes(psutil.Process(process.pid)))
        result: Result = pipe.recv()
        process.join()
    return dataclasses.replace(result, peak_bytes=peak)


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
    ours = _figures(measure(index_our_way, settings, folders))
    theirs = _figures(measure(index_plain_way, settings, folders)) if plain else {}
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


def _work(pipe: Connection, side: Side, settings: IngestSettings, folders: Sequence[Path]) -> None:
    pipe.send(side(settings, folders, lambda: pipe.send(None)))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in EXTENSIONS and path.is_file() and not is_hidden:
            yield path


def _plain_texts(path: Path) -> tuple[list[str], int]:
    from pypdf import PdfReader

    if path.suffix.lower() != ".pdf":
        return [path.read_text("utf-8")], 0
    texts = [page.extract_text() for page in PdfReader(path).pages]
    return texts, len(texts)


def _fixed_chunks(text: str) -> Iterator[str]:
    for start in range(0, max(1, len(text) - OVERLAP_CHARS), CHUNK_CHARS - OVERLAP_CHARS):
        if chunk := text[start : start + CHUNK_CHARS].strip():
            yield chunk


def _resident_bytes(process: psutil.Process) -> int:
    total = 0
    try:
        for member in (process, *process.children(recursive=True)):
            total += int(member.memory_info().rss)
    except psutil.NoSuchProcess:
        pass  # a child ended while it was looked at; the next sample sees what is left
    return total
