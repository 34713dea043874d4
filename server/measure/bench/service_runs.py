"""What is measured of a whole running service: `kb bench typed`, `load` and `start`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kb.errors import InvalidRequest
from server.measure.bench.comparison import Comparison
from server.measure.bench.load_run import KINDS, compare_load
from server.measure.bench.pairs import SAMPLES, choose_pairs
from server.measure.bench.service import Served, served
from server.measure.bench.start_run import compare_start, untuned
from server.measure.bench.typed_run import compare_typed
from server.measure.eval.corpus import workplace, write_articles
from server.measure.eval.kind_questions import read_kind_questions
from server.measure.eval.questions import spread_out
from server.measure.eval.squad import read_squad
from server.settings import ServerSettings

SAMPLE_QUESTION = "How is the telemetry link restored?"
WARM_UP = "How do I reach the observatory?"


def measure_typed(
    settings: ServerSettings, folder: Path | None, pairs: Path | None, squad: Path | None, limit: int
) -> list[Comparison]:
    """See `typed_run` and `pairs.choose_pairs`.

    Raises:
        InvalidRequest: The questions cannot be read.
        KBError: The service does not come up, or a model is not there.
    """
    chosen = choose_pairs(folder, pairs, squad, limit)
    with workplace(None) as place:
        documents = write_articles(place, {"squad": read_squad(squad).articles}) if squad else folder or SAMPLES
        return compare_typed(lambda: served(settings, place / "home", [documents]), chosen)


def measure_load(
    settings: ServerSettings, folder: Path | None, questions: Path | None, askers: int
) -> list[Comparison]:
    """See `load_run`.

    Args:
        questions: JSON lines; None: those that ship, about `sample_docs`.

    Raises:
        InvalidRequest: There are no questions for these documents, or too few.
        KBError: The service does not come up, or a model is not there.
    """
    if folder and not questions:
        raise InvalidRequest(f"what is to be asked about {folder}?", "--questions names a file with questions")
    asked = [each.question for each in read_kind_questions(questions) if each.kind in KINDS]
    if len(asked) < askers:
        raise InvalidRequest(f"there are {len(asked)} questions for {askers} askers", "name more, or fewer --askers")
    with _starting(settings, folder) as start:
        return compare_load(start, spread_out(asked, askers), asked[0] if folder else WARM_UP)


def measure_start(settings: ServerSettings, folder: Path | None, question: str) -> list[Comparison]:
    """See `start_run`.

    Raises:
        InvalidRequest: There is no question for these documents.
        KBError: The service does not come up, a model is not there, or no answer comes.
    """
    if folder and not question:
        raise InvalidRequest(f"what is to be asked about {folder}?", "--question says it")
    with workplace(None) as place:
        own = settings.model_copy(update={"models": untuned(settings.models, place)})
        documents = _documents(folder)
        return compare_start(lambda: served(own, place / "home", [documents]), question or SAMPLE_QUESTION)


@contextmanager
def _starting(settings: ServerSettings, folder: Path | None) -> Iterator[Callable[[], AbstractContextManager[Served]]]:
    with workplace(None) as place:
        documents = _documents(folder)
        yield lambda: served(settings, place / "home", [documents])


def _documents(folder: Path | None) -> Path:
    documents = folder or SAMPLES
    if not documents.is_dir():
        raise InvalidRequest(f"{documents} is not a folder", "name one, and what is to be asked about it")
    return documents
