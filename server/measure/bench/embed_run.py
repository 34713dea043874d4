"""This project's embedder against sentence-transformers in torch, on this machine.

Each side lives in a process of its own, so that its memory can be told; they take turns with the same texts, so that
whatever else the machine does falls on both.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from kb.adapters.embedding.backends import open_embedder
from kb.models.store import ModelStore
from kb.ports import Embedder, Vectors
from kb.settings import load
from server.settings import ServerSettings

ROOT = Path(__file__).resolve().parents[3]
XQUAD = ROOT.parent / "shared" / "data" / "xquad"
ROUNDS = 3
QUERIES = 60
LANGUAGES = ("en", "zh")


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


def _open_ours(folder: Path) -> Embedder:
    return open_embedder(folder, "bench", lambda progress: None, "onnx")


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
        self.embed_query("Is it ready?")
        self.load_seconds = time.perf_counter() - started

    def embed_passages(self, texts: Sequence[str]) -> tuple[Vectors, float, float]:
        """Embeds; gives the vectors, the seconds it took, and the seconds of processor time."""
        answer: tuple[Vectors, float, float] = self._call("passages", list(texts))
        return answer

    def embed_query(self, text: str) -> tuple[Vectors, float, float]:
        """As `embed_passages`, for one question."""
        answer: tuple[Vectors, float, float] = self._call("query", text)
        return answer

    def peak_bytes(self) -> int:
        """The most memory that was resident in its process."""
        return int(self._call("peak", None)[0])

    def _call(self, what: str, argument: object) -> Any:
        self._pipe.send((what, argument))
        return self._pipe.recv()


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


def _paragraphs(count: int) -> list[str]:
    """Half English, half Chinese: from XQuAD where it is there, else from the sample documents."""
    if XQUAD.is_dir():
        halves = [_read_xquad(language)[0][: count // 2] for language in LANGUAGES]
        return [text for half in halves for text in half]
    files = sorted((ROOT / "sample_docs").glob("*.md"))
    texts = [part for file in files for part in file.read_text("utf-8").split("\n\n") if len(part) > 100]
    return (texts * (count // len(texts) + 1))[:count]


def _read_xquad(language: str) -> tuple[list[str], list[str], list[int]]:
    """Paragraphs, questions, and for each question the number of its paragraph."""
    articles = json.loads((XQUAD / f"xquad.{language}.json").read_text("utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    asked = [(entry["question"], i) for i, paragraph in enumerate(paragraphs) for entry in paragraph["qas"]]
    return [paragraph["context"] for paragraph in paragraphs], [q for q, _ in asked], [i for _, i in asked]


def _compare_speed(theirs: Side, ours: Side, texts: Sequence[str]) -> None:
    results: dict[Side, list[tuple[Vectors, float, float]]] = {theirs: [], ours: []}
    for side in (theirs, ours) * ROUNDS:
        results[side].append(side.embed_passages(texts))
    per_text = {side: min(seconds for _, seconds, _ in runs) / len(texts) for side, runs in results.items()}
    processor = {side: min(seconds for _, _, seconds in runs) / len(texts) for side, runs in results.items()}
    cosines = (results[theirs][0][0] * results[ours][0][0]).sum(axis=1)
    latency: dict[Side, list[float]] = {side: [] for side in results}
    for _ in range(QUERIES):
        for side in results:
            latency[side].append(side.embed_query("When does the observatory open its dome?")[1])
    _row("", "sentence-transformers", "r1-kb", "ratio")
    _compare("texts/s, best of rounds", 1 / per_text[theirs], 1 / per_text[ours])
    _compare("processor ms/text", 1e3 * processor[theirs], 1e3 * processor[ours])
    _compare("question ms, median", 1e3 * statistics.median(latency[theirs]), 1e3 * statistics.median(latency[ours]))
    _compare("load s", theirs.load_seconds, ours.load_seconds)
    _compare("peak memory MB", theirs.peak_bytes() / 1e6, ours.peak_bytes() / 1e6)
    print(f"cosine between the two: mean {cosines.mean():.4f}, least {cosines.min():.4f}")


def _compare_recall(theirs: Side, ours: Side) -> None:
    for language in LANGUAGES:
        paragraphs, questions, answers = _read_xquad(language)
        found = []
        for side in (theirs, ours):
            passages = side.embed_passages(paragraphs)[0]
            scores = np.stack([side.embed_query(question)[0] for question in questions]) @ passages.T
            found.append((scores > scores[np.arange(len(answers)), answers][:, np.newaxis]).sum(axis=1))
        for k in (1, 5):
            before, after = (float((rank < k).mean()) for rank in found)
            _compare(f"{language} recall@{k}", before, after, digits=4)


def _compare(name: str, theirs: float, ours: float, digits: int = 1) -> None:
    _row(name, f"{theirs:.{digits}f}", f"{ours:.{digits}f}", f"{ours / theirs:.2f}")


def _row(name: str, *cells: str) -> None:
    print(f"{name:26}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(description="Compares this project's embedder with sentence-transformers.")
    parser.add_argument("--texts", type=int, default=64, help="how many paragraphs to embed in each of the rounds")
    parser.add_argument("--recall", action="store_true", help=f"search XQuAD as well ({XQUAD})")
    arguments = parser.parse_args()
    settings = load(kind=ServerSettings)
    store = ModelStore(settings.models)
    folder = store.pull(settings.embedding_model, lambda progress: None)
    _open_ours(folder)  # prepares the model, if it never was
    theirs, ours = Side(SentenceTransformers, folder), Side(_open_ours, folder)
    _compare_speed(theirs, ours, _paragraphs(arguments.texts))
    if arguments.recall:
        _compare_recall(theirs, ours)


if __name__ == "__main__":
    main()
