"""How long a search takes in a knowledge base of a given size, and what the size costs: time, memory and disk.

The knowledge base is a real one, with catalog, full-text index and vector index on disk, and grows from one size to
the next. Documents and their vectors are made up (`server.measure.bench.texts`, `server.measure.bench.synthetic`); a
question is embedded by the real model. Only the public face of
`KnowledgeBase` is used.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from rich import progress as bars

from ingest.chunking.chunker import chunk
from kb.data_directory import CATALOG_NAME
from kb.knowledge_base import KnowledgeBase
from kb.search.stopwatch import measured
from kb.settings import Settings
from kb.values.documents import FileVersion
from kb.values.filters import EVERYTHING, Filters
from kb.wiring import INDEX_NAME, open_knowledge_base
from server.measure.bench.synthetic import SyntheticEmbedder
from server.measure.bench.texts import LANGUAGES, Writer
from server.measure.eval.corpus import workplace
from server.terminal import console
from server.terminal.loading import show_loading

ROOT = "/synthetic"
WARM_UP = 3
"""Searches before those that count: the first after a build reads what the system has not read before."""

PARTS = ("embed", "dense", "lexical")
FILTERS = {
    "everywhere": EVERYTHING,
    "half": Filters(folders=("en",)),
    "1 in 50": Filters(folders=("en/00", "zh/00")),
}
"""Which documents are searched; parts of them by a filter on folders."""

_STRIDE = 7919  # a prime, so that the documents asked about are from everywhere, and in each language

Show = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in milliseconds: in half of the cases at most, in 95 of 100, and in all."""

    p50: float
    p95: float
    longest: float


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches of one kind.

    Attributes:
        where: Which documents were searched.
        questions: How many were asked, none of them twice.
        whole: From question to passages, with the embedding of the question.
        parts: Of the parts of a search, and of the rest.
    """

    where: str
    questions: int
    whole: Spread
    parts: dict[str, Spread]


@dataclass(frozen=True, slots=True)
class Size:
    """A knowledge base of one size.

    Attributes:
        build_seconds: Since the size before, or what an earlier run left; made-up vectors take nearly no time, real
            ones would take most of it.
        resident_bytes: Memory of the process, models and all.
        catalog_bytes: On disk, with documents, full-text index and all embeddings.
        index_bytes: On disk, of the vector index.
    """

    documents: int
    chunks: int
    build_seconds: float
    resident_bytes: int
    catalog_bytes: int
    index_bytes: int
    searches: tuple[Searches, ...]


class SearchBenchmark:
    """Grows a knowledge base and searches in it.

    Args:
        knowledge_base: With made-up vectors; empty, or what an earlier run left.
        home: Its data directory.
        questions: How many are asked of each kind.
    """

    def __init__(self, knowledge_base: KnowledgeBase, home: Path, questions: int) -> None:
        self._knowledge_base = knowledge_base
        self._home = home
        self._questions = questions
        self._variants = itertools.count()
        self._writers = [Writer(language) for language in LANGUAGES]
        self._documents = knowledge_base.counts()[0]

    def grow(self, chunks: int, show: Show) -> Size:
        """Adds documents until there are so many chunks, and measures.

        Args:
            show: Called after each document with the chunks that are there and those wanted.
        """
        began = time.perf_counter()
        while (there := self._knowledge_base.counts()[1]) < chunks:
            show(there, chunks)
            self._add_document()
        while self._knowledge_base.maintain():
            pass
        seconds = time.perf_counter() - began
        searches = tuple(self._search(where, filters) for where, filters in FILTERS.items())
        return Size(
            *self._knowledge_base.counts(),
            build_seconds=seconds,
            resident_bytes=psutil.Process().memory_info().rss,
            catalog_bytes=sum(path.stat().st_size for path in self._home.glob(f"{CATALOG_NAME}*")),
            index_bytes=sum(path.stat().st_size for path in (self._home / INDEX_NAME).rglob("*") if path.is_file()),
            searches=searches,
        )

    def _add_document(self) -> None:
        number, self._documents = self._documents, self._documents + 1
        writer = self._writers[number % len(self._writers)]
        document = writer.document(number)
        source = f"{writer.language}/{number // 2 % 50:02}/{number:07}.md"
        file = FileVersion(ROOT, source, len(document.text), number, sha256=str(number))
        self._knowledge_base.replace(file, document, chunk(document, self._knowledge_base.count_tokens))

    def _search(self, where: str, filters: Filters) -> Searches:
        for _ in range(WARM_UP):
            self._knowledge_base.search(self._next_question(), filters=filters)
        found = []
        for _ in range(self._questions):
            question = self._next_question()
            began = time.perf_counter()
            with measured() as seconds:
                self._knowledge_base.search(question, filters=filters)
            whole = time.perf_counter() - began
            parts = [seconds.get(name, 0.0) for name in PARTS]
            found.append([whole, *parts, whole - sum(parts)])
        whole_spread, *spreads = (
            Spread(*(round(float(value), 2) for value in np.percentile(1000 * column, (50, 95, 100))))
            for column in np.array(found).T
        )
        return Searches(where, len(found), whole_spread, dict(zip((*PARTS, "rest"), spreads, strict=True)))

    def _next_question(self) -> str:
        """A question about some document of all that there are; never one that was asked, whose vector is known."""
        variant = next(self._variants)
        number = _STRIDE * variant % self._documents
        return self._writers[number % len(self._writers)].question(number, variant)


def measure_search(settings: Settings, sizes: Sequence[int], questions: int, base: Path | None) -> list[Size]:
    """Makes a knowledge base, and measures it at each size, with a bar on a terminal.

    Args:
        settings: The user's own, of which data directory, folders and reranker are left out.
        sizes: In chunks, growing.
        base: A folder in which it is kept; None: it is removed.

    Raises:
        InvalidRequest: There is something else in the folder.
        ModelError: The embedding model is missing or does not load.
    """
    with workplace(base) as place:
        own = settings.model_copy(update={"home": place / "home", "folders": (), "reranker": ""})
        with open_knowledge_base(own, wrap=SyntheticEmbedder) as knowledge_base:
            show_loading(knowledge_base, False)
            benchmark = SearchBenchmark(knowledge_base, own.home, questions)
            found = []
            for size in sizes:
                with _bar(f"{size:,} chunks") as show:
                    found.append(benchmark.grow(size, show))
            return found


@contextmanager
def _bar(label: str) -> Iterator[Show]:
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=console.err, transient=True) as display:
        task = display.add_task(label)
        yield lambda done, total: display.update(task, completed=done, total=total)
