"""Which engine reads many passages for one question, and who judges what it writes."""

from collections.abc import Generator, Sequence

from kb.answering.engines.routing import Route, ready
from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.sources.retrieval import RetrievalResult
from kb.ports import LanguageModel
from kb.values.chat import Heartbeat
from kb.values.passages import Passage


def route_of(passages: Sequence[Passage], resources: Resources) -> tuple[Route, tuple[Passage, ...]]:
    """The way to an engine that may see some passages.

    Returns:
        The way, and those of the passages that it may be taken with; none, where all of them are to stay here.
    """
    route = Route(resources.settings, resources.models, resources.must_stay, "explanation", 1)
    found = route.admit(RetrievalResult(tuple(passages), (1.0,)), lambda left: (float(bool(left)),))
    return route, found.passages


def looking_model(resources: Resources) -> Generator[Heartbeat, None, LanguageModel]:
    """Waits for the model that looks.

    Raises:
        ModelError: It is missing or does not load.
    """
    while (model := ready(resources.models.looking_model)) is None:
        yield Heartbeat()
    return model


def writer_on(route: Route, asked: Asked, resources: Resources) -> Generator[Heartbeat, None, CheckedWriter]:
    """Waits for the engine.

    Raises:
        ModelError: It is missing or does not load.
    """
    while (model := route.model()) is None:
        yield Heartbeat()
    embed = asked.live_index.serving.embedder.embed_passages
    return CheckedWriter(model, resources.judges.judge(model), embed)
