"""The two embedders that are compared, each in a process of its own."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from kb.adapters.embedding.backends import open_embedder
from kb.errors import KBError
from kb.ports import Embedder, Vectors


class SentenceTransformers:
    """What the library does by itself, with its own defaults."""

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embeds passages."""
        return np.asarray(self._model.encode(list(texts), prompt_name="passage", show_progress_bar=False))

    def embed_query(self, text: str) -> Vectors:
        """Embeds a question."""
        return np.asarray(self._model.encode(text, prompt_name="query", show_progress_bar=False))


def open_ours(folder: Path) -> Embedder:
    """What this project does."""
    return open_embedder(folder, "bench", lambda progress: None, "onnx")


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors, and what they took."""

    vectors: Vectors
    seconds: float
    processor_seconds: float


class Side:
    """One of the two, in a process of its own.

    Attributes:
        load_seconds: From an empty process to the first vector.
    """

    def __init__(self, make: Callable[[Path], Any], folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, make, folder), daemon=True)
        started = time.perf_counter()
        self._process.start()
        other.close()
        self.embed_query("Is it ready?")
        self.load_seconds = time.perf_counter() - started

    def embed_passages(self, texts: Sequence[str]) -> Embedded:
        """Embeds passages: (n, d) float32, unit norm."""
        return Embedded(*self._call("passages", list(texts)))

    def embed_query(self, text: str) -> Embedded:
        """Embeds one question: (d,) float32, unit norm."""
        return Embedded(*self._call("query", text))

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close()
        self._process.join()

    def peak_bytes(self) -> int:
        """The most memory that was resident in its process."""
        return int(self._call("peak", None)[0])

    def _call(self, what: str, argument: object) -> Any:
        try:
            self._pipe.send((what, argument))
            return self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise KBError("the process that embeds has ended", "what it said stands above") from error


def _serve(pipe: Connection, make: Callable[[Path], Any], folder: Path) -> None:
    embedder = make(folder)
    work: dict[str, Callable[[Any], Any]] = {
        "passages": embedder.embed_passages,
        "query": embedder.embed_query,
        "peak": lambda _: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    while True:
        try:
            what, argument = pipe.recv()
        except EOFError:  # the other side has what it wanted
            return
        wall, processor = time.perf_counter(), time.process_time()
        result = work[what](argument)
        pipe.send((result, time.perf_counter() - wall, time.process_time() - processor))
