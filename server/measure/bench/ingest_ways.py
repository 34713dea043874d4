"""Two ways to index folders: that of this project, and what a short script would do with the same libraries."""

import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.settings import IngestSettings
from kb.models.store import ModelStore
from server.terminal import console

CHUNK_CHARS, OVERLAP_CHARS = 1000, 200
ADD_BATCH = 5000  # Chroma takes at most 5461 at a time
SHOW_SECONDS = 5.0
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
