"""How long a question waits for the first token of its answer, search included.

Asked over the real path, thinking off, and then a second question on the same passages; against the first question in
a plain prompt with four whole chunks of about 120 words. The three take turns, so that whatever else the machine does
falls on all of them.
"""

import statistics
import time
from collections.abc import Sequence

from kb.adapters.llama.process import LlamaProcess
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AnswerDelta, AskOptions
from kb.values.chat import Delta, GenerationOptions, Message
from server.measure.bench.comparison import Comparison
from server.measure.bench.pairs import Pair
from server.terminal import console

CHUNKS, CHUNK_WORDS, CHUNK_HAN = 4, 120, 200
PLAIN_WAY = f"{CHUNKS} whole chunks"


def compare_first_token(knowledge_base: KnowledgeBase, model: LlamaProcess, pairs: Sequence[Pair]) -> list[Comparison]:
    """Compares the seconds from a question to the first token of its answer, medians of all pairs.

    Args:
        model: Answers the plain prompts.

    Returns:
        The figures, and how many pairs are left out of them because the service declined to answer.
    """
    rows: list[tuple[float, float, float]] = []
    for first, second in pairs:
        plain = _plain_seconds(knowledge_base, model, first)
        ours = _our_seconds(knowledge_base, first), _our_seconds(knowledge_base, second)
        console.remark(f"plain {plain:.2f} s, first and second {ours}: {first}")
        if ours[0] is not None and ours[1] is not None:
            rows.append((plain, ours[0], ours[1]))
    declined = Comparison(f"declined, of {len(pairs)} pairs of questions", len(pairs) - len(rows))
    if not rows:
        return [declined]
    plain, first_one, second_one = (statistics.median(column) for column in zip(*rows, strict=True))
    return [
        Comparison("first token, s", first_one, plain, PLAIN_WAY),
        Comparison("first token, second question, s", second_one, plain, PLAIN_WAY),
        declined,
    ]


def _our_seconds(knowledge_base: KnowledgeBase, question: str) -> float | None:
    began = time.perf_counter()
    events = knowledge_base.ask_stream(question, options=AskOptions(thinking="off"))
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
