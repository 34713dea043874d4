"""What a run is: the set that was asked, the setup that it was asked with, and what came out."""

import dataclasses
import datetime
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.pipeline.reading import RECIPE
from kb.knowledge_base import KnowledgeBase
from kb.models.store import ModelStore
from server.measure.eval.declining import Declining
from server.measure.eval.measuring import Measured, Outcome
from server.measure.eval.metrics import Metrics

_SETTINGS_THAT_MATTER = {
    "answer_tokens",
    "context_tokens",
    "embedding_backend",
    "embedding_model",
    "min_evidence",
    "passage_tokens",
    "reasoning_full_tokens",
    "reasoning_short_tokens",
    "reranker",
    "thinking",
    "top_k",
}


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Which questions were asked of which documents. Runs over equal sets can be compared.

    Attributes:
        command: The kind of set.
        name: Of the file or folder that it comes from.
        sha256: Of its questions.
        options: What else makes it this set: a sample, distractors.
        documents: How many were searched, distractors too.
        paragraphs: How many different ones can be right; 0 where other things are looked for.
        questions: How many were asked.
    """

    command: str
    name: str
    sha256: str
    options: str
    documents: int
    paragraphs: int
    questions: int

    def is_like(self, other: "QuestionSet") -> bool:
        """Whether measures of the two can be compared; a file keeps its content under another name."""
        return dataclasses.replace(self, name=other.name) == other


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the history.

    Attributes:
        when: UTC, ISO 8601.
        setup: Models, settings, version and recipe, as far as they can change the outcome.
        seconds: Of asking; without the making of the index.
    """

    when: str
    set: QuestionSet
    setup: Mapping[str, Any]
    metrics: Metrics
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """A run with its questions.

    Attributes:
        notes: What the reader should know about the set, in sentences.
        declining: Questions that were asked after something had been taken out of the documents.
    """

    run: Run
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    declining: tuple[Declining, ...] = ()

    def with_declining(self, declining: Sequence[Declining]) -> "Result":
        """The result with what became of questions to which there is no answer."""
        more = {name: round(value, 4) for measured in declining for name, value in measured.metrics.items()}
        run = replace(self.run, metrics={**self.run.metrics, **more})
        return replace(self, run=run, declining=tuple(declining))


def result_of(
    knowledge_base: KnowledgeBase,
    tested: QuestionSet,
    measured: Measured,
    *,
    answering: bool,
    notes: Sequence[str] = (),
) -> Result:
    """Puts together what has just been measured.

    Args:
        answering: Whether answers were made, so that the answering model matters.
    """
    run = Run(
        when=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        set=tested,
        setup=_setup(knowledge_base, answering=answering),
        metrics={name: round(value, 4) for name, value in measured.metrics.items()},
        seconds=round(measured.seconds, 1),
    )
    return Result(run, measured.outcomes, tuple(notes))


def _setup(knowledge_base: KnowledgeBase, *, answering: bool) -> dict[str, Any]:
    settings = knowledge_base.settings
    store = ModelStore.of_hub(settings.models, embedder=settings.embedding_model)
    folder = store.find(settings.embedding_model)
    return {
        "version": importlib.metadata.version("r1-kb"),
        "recipe": RECIPE,
        "model": knowledge_base.models.answering().name if answering else "",
        "embedding_identity": store.identity(folder) if folder else "",
        **settings.model_dump(mode="json", include=_SETTINGS_THAT_MATTER),
    }
