"""This project's embedder against sentence-transformers in torch, on this machine.

Each side lives in a process of its own, so that its memory can be told; they take turns with the same texts, so that
whatever else the machine does falls on both.
"""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from kb.errors import InvalidRequest
from kb.models.store import ModelStore
from kb.settings import Settings
from kb.wiring import prepare_embedding
from server.measure.bench.comparison import Comparison
from server.measure.bench.embedding_sides import SentenceTransformers, Side, open_ours
from server.measure.eval.files import read_bytes
from server.measure.eval.questions import spread_out
from server.measure.eval.squad import SquadSet, read_squad
from server.terminal.loading import progress_bar

SAMPLES = Path("sample_docs")
ROUNDS = 3
QUERIES = 60
LEAST_CHARS = 100
"""Shorter paragraphs are headings and the like."""

PLAIN_WAY = "sentence-transformers"


def measure_embedding(settings: Settings, folder: Path, sets: Sequence[Path], texts: int) -> list[Comparison]:
    """Measures speed and memory, and with test sets how often the right paragraph is found.

    Args:
        folder: Its Markdown and text files are embedded where no sets are given.
        sets: Files in SQuAD format; as many paragraphs are taken of each.
        texts: How many paragraphs are embedded in each round.

    Raises:
        InvalidRequest: There are no paragraphs, or a set cannot be used.
        ModelError: The model is missing or does not load.
    """
    squads = {path.stem: read_squad(path) for path in sets}
    paragraphs = _of_sets(list(squads.values()), texts) if squads else _of_folder(folder, texts)
    with progress_bar() as report:
        model = ModelStore(settings.models).pull(settings.embedding_model, report)
        prepare_embedding(model, settings.model_copy(update={"embedding_backend": "onnx"}), report)
    with closing(Side(SentenceTransformers, model)) as theirs, closing(Side(open_ours, model)) as ours:
        found = _compare_speed(theirs, ours, paragraphs)
        for name, squad in squads.items():
            found += _compare_recall(theirs, ours, name, squad)
        return found


def _of_sets(squads: Sequence[SquadSet], count: int) -> list[str]:
    return [text for squad in squads for text in spread_out(_paragraphs(squad), count // len(squads))]


def _of_folder(folder: Path, count: int) -> list[str]:
    """As many paragraphs as are wanted; the same ones again if there are too few."""
    files = [path for path in sorted(folder.glob("*")) if path.suffix in (".md", ".txt")]
    parts = [part for path in files for part in read_bytes(path).decode("utf-8", "replace").split("\n\n")]
    texts = [part for part in parts if len(part) > LEAST_CHARS]
    if not texts:
        raise InvalidRequest(f"there are no paragraphs in {folder}", "name a folder with Markdown or text files")
    return (texts * (count // len(texts) + 1))[:count]


def _paragraphs(squad: SquadSet) -> list[str]:
    return [paragraph for article in squad.articles for paragraph in article.paragraphs]


def _compare_speed(theirs: Side, ours: Side, texts: Sequence[str]) -> list[Comparison]:
    runs = [(theirs.embed_passages(texts), ours.embed_passages(texts)) for _ in range(ROUNDS)]
    latency = [(_query_seconds(theirs), _query_seconds(ours)) for _ in range(QUERIES)]
    plain, own = ([run[side] for run in runs] for side in (0, 1))
    seconds = [min(run.seconds for run in side) / len(texts) for side in (plain, own)]
    processor = [min(run.processor_seconds for run in side) / len(texts) for side in (plain, own)]
    question = [statistics.median(side) for side in zip(*latency, strict=True)]
    cosines = (plain[0].vectors * own[0].vectors).sum(axis=1)
    figures = {
        "texts/s, best of rounds": [1 / value for value in seconds],
        "processor, ms a text": [1e3 * value for value in processor],
        "a question, ms, median": [1e3 * value for value in question],
        "load, s": [theirs.load_seconds, ours.load_seconds],
        "peak memory, MB": [theirs.peak_bytes() / 1e6, ours.peak_bytes() / 1e6],
    }
    return [
        *(Comparison(what, own_figure, other, PLAIN_WAY) for what, (other, own_figure) in figures.items()),
        Comparison("cosine between the two, mean", float(cosines.mean())),
        Comparison("cosine between the two, least", float(cosines.min())),
    ]


def _query_seconds(side: Side) -> float:
    return side.embed_query("When does the observatory open its dome?").seconds


def _compare_recall(theirs: Side, ours: Side, name: str, squad: SquadSet) -> Iterator[Comparison]:
    paragraphs = _paragraphs(squad)
    places = [(i, j) for i, article in enumerate(squad.articles) for j in range(len(article.paragraphs))]
    right = np.array([places.index(asked.place) for asked in squad.asked])
    ranks = []
    for side in (theirs, ours):
        passages = side.embed_passages(paragraphs).vectors
        scores = np.stack([side.embed_query(asked.question.text).vectors for asked in squad.asked]) @ passages.T
        ranks.append((scores > scores[np.arange(len(right)), right][:, np.newaxis]).sum(axis=1))
    for k in (1, 5):
        before, after = (float((rank < k).mean()) for rank in ranks)
        yield Comparison(f"{name}: recall@{k}", after, before, PLAIN_WAY)
