"""How the service is at the moment it is asked: index, models, queues, disks. Costs nothing until then."""

import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.pipeline.pipeline import Pipeline
from kb.answering.engines.models import ModelStatus
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import LoadState
from server.http.threads import Threads


class StateCollector(Collector):
    """Looks at the service each time it is asked."""

    def __init__(self, knowledge_base: KnowledgeBase, pipeline: Pipeline, threads: Threads) -> None:
        self._knowledge_base = knowledge_base
        self._pipeline = pipeline
        self._threads = threads

    def collect(self) -> Iterator[Metric]:
        """Gives all gauges.

        Raises:
            StorageError: The catalog cannot be read.
        """
        yield _labelled("kb_build_info", "The version.", "version", {importlib.metadata.version("r1-kb"): 1})
        yield from self._index()
        yield from self._questions()
        yield _labelled("kb_model_ready", "Whether a model is loaded.", "model", self._models())
        yield _labelled("kb_disk_free_bytes", "Room that is left.", "place", dict(self._disks()))

    def _index(self) -> Iterator[Metric]:
        documents, chunks = self._knowledge_base.counts()
        state, status = self._knowledge_base.index_state(), self._pipeline.status
        work = self._knowledge_base.index_work()
        yield GaugeMetricFamily("kb_index_documents", "Indexed documents.", documents)
        yield GaugeMetricFamily("kb_index_chunks", "Their pieces.", chunks)
        yield GaugeMetricFamily("kb_index_pending_files", "Files that wait to be indexed.", state.pending)
        yield GaugeMetricFamily("kb_index_failed_files", "Files that could not be indexed.", state.failed)
        yield GaugeMetricFamily(
            "kb_index_blocked", "Whether something keeps all files from being indexed.", int(status.error is not None)
        )
        yield GaugeMetricFamily(
            "kb_index_folders_missing",
            "Watched folders that could not be read.",
            sum(not ok for _, ok in status.folders),
        )
        yield GaugeMetricFamily(
            "kb_index_last_sync_timestamp_seconds",
            "When index and folders last agreed; 0: never.",
            state.last_sync.timestamp() if state.last_sync else 0,
        )
        yield GaugeMetricFamily(
            "kb_index_building_chunks",
            "Pieces that a new vector index lacks.",
            (work.total or 0) - work.done if work else 0,
        )

    def _questions(self) -> Iterator[Metric]:
        running, waiting = self._knowledge_base.asking
        waiting += self._threads.questions.statistics().tasks_waiting
        yield GaugeMetricFamily("kb_questions_running", "Questions that are being answered.", running)
        yield GaugeMetricFamily("kb_questions_waiting", "Questions that wait for the model.", waiting)
        yield GaugeMetricFamily(
            "kb_queue_size", "Questions that may wait for the model.", self._knowledge_base.settings.queue_size
        )

    def _models(self) -> dict[str, float]:
        models = self._knowledge_base.models
        found: dict[str, ModelStatus | None] = {
            "answering": models.answering(),
            "small": models.small(),
            "embedding": models.embedding(),
            "reranker": models.reranker(),
        }
        return {name: float(status.loading.state is LoadState.READY) for name, status in found.items() if status}

    def _disks(self) -> Iterator[tuple[str, float]]:
        settings = self._knowledge_base.settings
        places = {"data": settings.home, "models": settings.models, "uploads": next(iter(self._pipeline.folders), None)}
        for name, path in places.items():
            if path is not None:
                yield name, float(shutil.disk_usage(_existing(path)).free)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return path if path.exists() else _existing(path.parent)


def _labelled(name: str, documentation: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family
