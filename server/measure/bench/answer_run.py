"""How fast answers come, against llama.cpp alone and against a plain prompt, on this machine.

See `server.measure.bench.generation` and `server.measure.bench.first_token`.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.settings import IngestSettings
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.tuning import tune
from kb.adapters.llama.tuning_cache import CACHE_NAME
from kb.errors import InvalidRequest, ModelMissing
from kb.models.store import ModelStore
from kb.wiring import engine_settings
from server.measure.bench.comparison import Comparison
from server.measure.bench.first_token import Pair, compare_first_token
from server.measure.bench.generation import compare_generation
from server.measure.eval.corpus import indexed, workplace, write_articles
from server.measure.eval.files import read_bytes
from server.measure.eval.questions import spread_out
from server.measure.eval.squad import SquadSet, read_squad

SAMPLES = Path("sample_docs")
SAMPLE_PAIRS: tuple[Pair, ...] = (
    ("How many beds does the guest house at the observatory have?", "How do I book a bed in the guest house?"),
    ("At what baud rate does the serial console of the relay run?", "Which cable does the relay's console need?"),
    ("十分钟平均风速达到多少，就必须关闭圆顶？", "风速降到多少以后可以再打开圆顶？"),
)


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
    pairs = _pairs(options)[: options.limit]
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


def _pairs(options: AnswerBenchmark) -> list[Pair]:
    if options.limit == 0:
        return []
    if options.squad:
        return _pairs_of(read_squad(options.squad), options.limit)
    folder = options.folder or SAMPLES
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder", "name a folder and --pairs, or --squad, or --limit 0")
    if options.pairs:
        return _read_pairs(options.pairs)
    if options.folder:
        raise InvalidRequest(f"what is to be asked about {folder}?", "--pairs names a file with questions")
    return list(SAMPLE_PAIRS)


def _read_pairs(path: Path) -> list[Pair]:
    try:
        return [(str(first), str(second)) for first, second in json.loads(read_bytes(path))]
    except (ValueError, TypeError) as error:
        raise InvalidRequest(
            f"{path} is no list of pairs of questions", 'it must look like [["A question?", "Another?"]]'
        ) from error


def _pairs_of(squad: SquadSet, limit: int) -> list[Pair]:
    """Two questions of the same paragraph each."""
    by_place: dict[tuple[int, int], list[str]] = {}
    for asked in squad.asked:
        by_place.setdefault(asked.place, []).append(asked.question.text)
    return spread_out([(texts[0], texts[1]) for texts in by_place.values() if len(texts) > 1], limit)
