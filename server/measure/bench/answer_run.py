"""How fast answers come, against llama.cpp alone and against a plain prompt, on this machine.

Generation: see `server.measure.bench.generation`. First token: a question over the real path, thinking off, and a
second one on the same passages, against the first question in a plain prompt with four whole chunks of about 120
words. Sides take turns, so that whatever else the machine does falls on all of them.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.tuning import tune
from kb.adapters.llama.tuning_cache import CACHE_NAME
from kb.knowledge_base import KnowledgeBase
from kb.models.store import ModelStore
from kb.settings import Settings, load
from kb.values.answers import AnswerDelta
from kb.values.chat import Delta, GenerationOptions, Message
from kb.wiring import engine_settings
from server.measure.bench.generation import compare_generation
from server.measure.eval.corpus import indexed, workplace, write_articles
from server.measure.eval.questions import spread_out
from server.measure.eval.squad import SquadSet, read_squad
from server.settings import ServerSettings

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 9
TOKENS = 96
CHUNKS, CHUNK_WORDS, CHUNK_HAN = 4, 120, 200
SAMPLE_PAIRS = (
    ("How many beds does the guest house at the observatory have?", "How do I book a bed in the guest house?"),
    ("At what baud rate does the serial console of the relay run?", "Which cable does the relay's console need?"),
    ("十分钟平均风速达到多少，就必须关闭圆顶？", "风速降到多少以后可以再打开圆顶？"),
)

Result = dict[str, Any]


def compare_first_token(knowledge_base: KnowledgeBase, model: LlamaProcess, pairs: Sequence[tuple[str, str]]) -> Result:
    """Compares the time from a question to the first token of its answer, search included.

    Returns:
        Medians of the seconds and of the ratios; pairs in which the service declined to answer are left out.
    """
    seconds: dict[str, list[float]] = {"plain": [], "first": [], "second": []}
    declined = 0
    for first, second in pairs:
        plain = _plain_seconds(knowledge_base, model, first)
        ours = _our_seconds(knowledge_base, first), _our_seconds(knowledge_base, second)
        _show(f"  plain {plain:.2f} s, first and second {ours}: {first}")
        if None in ours:
            declined += 1
            continue
        for name, value in zip(seconds, (plain, *ours), strict=True):
            seconds[name].append(value or 0.0)
    ratios = {
        name: [ours / plain for ours, plain in zip(seconds[name], seconds["plain"], strict=True)]
        for name in ("first", "second")
    }
    return {
        "pairs": len(seconds["plain"]),
        "declined": declined,
        "seconds": {name: round(statistics.median(values), 2) for name, values in seconds.items() if values},
        "ratio": {name: round(statistics.median(values), 3) for name, values in ratios.items() if values},
        "bar": {"first": 0.6, "second": 0.25},
    }


def _our_seconds(knowledge_base: KnowledgeBase, question: str) -> float | None:
    began = time.perf_counter()
    events = knowledge_base.ask_stream(question, thinking="off")
    try:
        for event in events:
            if isinstance(event, AnswerDelta) and event.text.strip():
                return time.perf_counter() - began
        return None
    finally:
        events.close()


def _plain_seconds(knowledge_base: KnowledgeBase, model: LlamaProcess, question: str) -> float:
    began = time.perf_counter()
    sources = "\n\n".join(
        f"[{number}] {chunk}" for number, chunk in enumerate(_chunks(knowledge_base, question), start=1)
    )
    text = f"Answer the question, using only the sources.\n\nSources:\n{sources}\n\nQuestion: {question}"
    items = model.stream([Message("user", text)], GenerationOptions(reasoning_tokens=0, answer_tokens=64))
    try:
        for item in items:
            if isinstance(item, Delta) and item.text.strip():
                return time.perf_counter() - began
        raise AssertionError("a model says something")
    finally:
        items.close()


def _chunks(knowledge_base: KnowledgeBase, question: str) -> list[str]:
    """The chunks that a plain splitter would have made where the passages are, best first, and then those after."""
    found: dict[tuple[str, int], str] = {}
    for after in range(CHUNKS):
        for passage in knowledge_base.search(question, CHUNKS):
            place = _chunk_at(knowledge_base.text(passage.document_id), passage.start, after)
            if place:
                found.setdefault((passage.document_id, place[0]), place[1])
    return list(found.values())[:CHUNKS]


def _chunk_at(text: str, start: int, after: int) -> tuple[int, str] | None:
    words = text.split()
    if len(text) > 12 * len(words):  # Chinese: no spaces between words
        number = start // CHUNK_HAN + after
        chunk = text[number * CHUNK_HAN : (number + 1) * CHUNK_HAN]
    else:
        number = len(text[:start].split()) // CHUNK_WORDS + after
        chunk = " ".join(words[number * CHUNK_WORDS : (number + 1) * CHUNK_WORDS])
    return (number, chunk) if chunk else None


def _pairs_of(squad: SquadSet, limit: int) -> list[tuple[str, str]]:
    """Two questions of the same paragraph each."""
    by_place: dict[tuple[int, int], list[str]] = {}
    for asked in squad.asked:
        by_place.setdefault(asked.place, []).append(asked.question.text)
    return spread_out([(texts[0], texts[1]) for texts in by_place.values() if len(texts) > 1], limit)


def _show(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _answer_model(settings: Settings) -> tuple[str, Path]:
    store = ModelStore(settings.models)
    name = store.choose_answer_model(settings.model)
    path = store.find(name) if name else None
    if name is None or path is None:
        sys.exit("no answering model is here yet; `kb models pull` fetches one")
    return name, path


def _print_table(results: Result) -> None:
    for part, result in results.items():
        print(part)
        for name, value in result.items():
            print(f"  {name:20}", value if not isinstance(value, dict) else json.dumps(value)[1:-1])


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(
        prog="python -m server.measure.bench.answer_run", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--only", choices=("generation", "first-token"), help="one of the two")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of generation")
    parser.add_argument("--tokens", type=int, default=TOKENS, help="generated in each round")
    parser.add_argument("--squad", type=Path, help="ask questions of a file in SQuAD format, not of sample_docs")
    parser.add_argument("--folder", type=Path, help="ask questions about the documents in a folder")
    parser.add_argument("--pairs", type=Path, help="JSON: two questions on the same passages each, for --folder")
    parser.add_argument("--limit", type=int, default=20, help="how many pairs of questions")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if bool(arguments.folder) != bool(arguments.pairs):
        parser.error("--folder and --pairs go together")
    settings = load(kind=ServerSettings)
    name, path = _answer_model(settings)
    options = tune(path, engine_settings(settings), settings.models / CACHE_NAME)
    results: Result = {}
    if arguments.only != "first-token":
        results["generation"] = compare_generation(path, options, arguments.rounds, arguments.tokens, _show)
    if arguments.only != "generation":
        with closing(LlamaProcess(path, name, options)) as model, workplace(None) as place:
            folder, pairs = arguments.folder or ROOT / "sample_docs", list(SAMPLE_PAIRS)
            if arguments.pairs:
                pairs = [(first, second) for first, second in json.loads(arguments.pairs.read_text("utf-8"))]
            if arguments.squad:
                squad = read_squad(arguments.squad)
                folder = write_articles(place, {"squad": squad.articles})
                pairs = _pairs_of(squad, arguments.limit)
            with indexed(settings, place, [folder], answering=True) as knowledge_base:
                results["first token"] = compare_first_token(knowledge_base, model, pairs[: arguments.limit])
    if arguments.json:
        print(json.dumps({"model": name, **results}, indent=2, ensure_ascii=False))
    else:
        _print_table(results)


if __name__ == "__main__":
    main()
