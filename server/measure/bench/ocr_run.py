"""How well and how fast text is read in pictures: pages of known text, rendered, read, and compared."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from ingest.ocr.engine import Recogniser
from kb.errors import InvalidRequest
from server.measure.bench.ocr_pages import Condition, rendered, right_characters
from server.measure.eval.questions import spread_out
from server.measure.eval.squad import read_squad

_LEAST_CHARS = 200


@dataclass(frozen=True, slots=True)
class OcrFigures:
    """What came of some pages.

    Attributes:
        right: Share of the characters that are right, on average and of the worst page.
        cpu_seconds: Of the processor, for a page, on average.
        memory_bytes: Most that the process has taken so far.
    """

    condition: Condition
    right: float
    worst: float
    cpu_seconds: float
    memory_bytes: int


def measure_ocr(texts: Path, font: Path, pages: int, conditions: Sequence[Condition]) -> Iterator[OcrFigures]:
    """Reads pages under several conditions.

    Args:
        texts: A file in SQuAD format: a page holds one of its paragraphs.
        font: A TrueType or OpenType font that has the characters of the texts.
        pages: How many.

    Raises:
        InvalidRequest: The file has no paragraphs of some length.
    """
    paragraphs = (paragraph for article in read_squad(texts).articles for paragraph in article.paragraphs)
    long = [text for text in dict.fromkeys(paragraphs) if len(text) >= _LEAST_CHARS]
    if not long:
        raise InvalidRequest(f"{texts} has no paragraphs of {_LEAST_CHARS} characters", "name a file in SQuAD format")
    chosen, recogniser = spread_out(long, pages), Recogniser()
    for condition in conditions:
        right, seconds = [], []
        for seed, text in enumerate(chosen):
            page, said = rendered(text, font, condition, seed)
            began = time.process_time()
            scan = recogniser.read(np.asarray(page.convert("RGB")))
            seconds.append(time.process_time() - began)
            right.append(right_characters(said, scan.text))
        memory_bytes = psutil.Process().memory_info().rss
        yield OcrFigures(condition, statistics.mean(right), min(right), statistics.mean(seconds), memory_bytes)
