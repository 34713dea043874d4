"""How fast answers come, against llama.cpp alone and against a plain prompt, on this machine.

See `server.measure.bench.generation` and `server.measure.bench.first_token`.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.settings import IngestSettings
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.tuning import tune
from kb.adapters.llama.tuning_cache import CACHE_NAME
from kb.errors import ModelMissing
from kb.models.store import ModelStore
from kb.wiring import engine_settings
from server.measure.bench.comparison import Comparison
from server.measure.bench.first_token import compare_first_token
from server.measure.bench.generation import compare_generation
from server.measure.bench.pairs import SAMPLES, Pair, choose_pairs
from server.measure.eval.corpus import indexed, workplace, write_articles
from server.measure.eval.squad import read_squad


@dataclass(frozen=True, slots=True)
class AnswerBenchmark:
    """What is measured.

    Attributes:
        folder: With the documents that are asked about; None: the sample documents of a checkout.
        pairs: JSON file with a list of pairs of questions on the same passages, about the documents of the folder.
        squad: File in SQuAD format that is asked instead; two questions of each paragraph.
        limit: How many pairs at most.
        rounds: Of generation; 0: it is not measured.
        tokens: Generated in each round.
    """

    folder: Path | None = None
    pairs: Path | None = None
    squad: Path | None = None
    limit: int = 20
    rounds: int = 9
    tokens: int = 96


def measure_answers(settings: IngestSettings, options: AnswerBenchmark) -> list[Comparison]:
    """Measures generation, and then the time to the first token if any question may be asked.

    Raises:
        InvalidRequest: A file cannot be used, or there are documents without questions, or questions without documents.
        ModelError: A model is missing or does not load.
    """
    pairs = choose_pairs(options.folder, options.pairs, options.squad, options.limit)
    store = ModelStore(settings.models)
    name = store.choose_answer_model(settings.model)
    path = store.find(name) if name else None
    if name is None or path is None:
        raise ModelMissing("no answering model is here yet", "`kb models pull NAME` fetches one")
    engine = tune(path, engine_settings(settings), settings.models / CACHE_NAME)
    generation = compare_generation(path, engine, options.rounds, options.tokens) if options.rounds else []
    return [*generation, *(_first_token(settings, options, pairs, name, path, engine) if pairs else [])]


def _first_token(
    settings: IngestSettings, options: AnswerBenchmark, pairs: list[Pair], name: str, path: Path, engine: EngineOptions
) -> list[Comparison]:
    with closing(LlamaProcess(path, name, engine)) as model, workplace(None) as place:
        if options.squad:
            folder = write_articles(place, {"squad": read_squad(options.squad).articles})
        else:
            folder = options.folder or SAMPLES
        with indexed(settings, place, [folder], answering=True) as knowledge_base:
            return compare_first_token(knowledge_base, model, pairs)
