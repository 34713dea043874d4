"""What a client wants of the form of an answer: some of a few known wishes, and nothing else.

Such words come from the system prompt of a chat client, which may hold anything: how to behave, what to believe, pages
of context. Quoted to a model as wishes, they talked it into what no source says. So they never reach one: each
sentence is held against labelled ones, and of those that are nearest to a wish, our own words for it are said.
"""

import json
import threading
from collections.abc import Sequence
from importlib.resources import files
from typing import Literal, get_args

import numpy as np

from kb.ports import Embedder, Vectors
from kb.text.languages import asked_in
from kb.text.sentences import sentence_spans

Wish = Literal["brief", "detailed", "list", "table", "simple", "formal", "friendly", "de", "en", "es", "fr", "ja", "zh"]

MOST_SENTENCES = 24
"""Of a system prompt; what is meant for all answers mostly stands at its beginning."""

_LONGEST_CHARS = 200
LEAST_AHEAD = 0.015
"""So much nearer than to any sentence that is no wish, by cosine; in doubt, it is none.

With multilingual-e5-small, of 45 other sentences 41 are told right; the four are three wishes that are passed over, and
one taken for a wish for detail.
"""

_LINES: dict[Wish, dict[str, str]] = {
    "brief": {"en": "Be brief.", "zh": "请简短。"},
    "detailed": {"en": "Answer in detail.", "zh": "请详细。"},
    "list": {"en": "Answer with a list, each item on a line of its own.", "zh": "请列成清单，每项一行。"},
    "table": {"en": "Answer with a Markdown table.", "zh": "请写成 Markdown 表格。"},
    "simple": {"en": "Use plain words.", "zh": "请用浅显的话。"},
    "formal": {"en": "Write formally.", "zh": "请用正式的语气。"},
    "friendly": {"en": "Write in a friendly tone.", "zh": "请用亲切的语气。"},
    "de": {"en": "Write in German.", "zh": "请用德语书写。"},
    "en": {"en": "Write in English.", "zh": "请用英语书写。"},
    "es": {"en": "Write in Spanish.", "zh": "请用西班牙语书写。"},
    "fr": {"en": "Write in French.", "zh": "请用法语书写。"},
    "ja": {"en": "Write in Japanese.", "zh": "请用日语书写。"},
    "zh": {"en": "Write in Chinese.", "zh": "请用中文书写。"},
}


class WishReader:
    """Reads wishes out of system prompts; safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[str, Vectors] | None = None
        self._labels = [label for _, label in _examples()]

    def read(self, text: str, embedder: Embedder) -> tuple[Wish, ...]:
        """The wishes, in the order of `Wish`."""
        spans = sentence_spans(text[: MOST_SENTENCES * _LONGEST_CHARS])[:MOST_SENTENCES]
        sentences = [text[start:end].strip()[:_LONGEST_CHARS] for start, end in spans]
        if not any(sentences):
            return ()
        likeness = embedder.embed_passages(list(filter(None, sentences))) @ self._vectors(embedder).T
        is_wish = np.array([label is not None for label in self._labels])
        found = set()
        for row in likeness:
            nearest = int(np.argmax(np.where(is_wish, row, -1.0)))
            if row[nearest] - row[~is_wish].max() >= LEAST_AHEAD:
                found.add(self._labels[nearest])
        return tuple(wish for wish in get_args(Wish) if wish in found)

    def _vectors(self, embedder: Embedder) -> Vectors:
        with self._lock:
            if self._known is None or self._known[0] != embedder.identity:
                self._known = (embedder.identity, embedder.embed_passages([text for text, _ in _examples()]))
            return self._known[1]


def wishes_line(wishes: Sequence[Wish], question: str) -> str:
    """Our words for wishes, with what leads to them; empty without any.

    Args:
        question: Tells the language.
    """
    words = asked_in(question)
    joined = (" " if words == "en" else "").join(_LINES[wish][words] for wish in wishes)
    return f"\n{joined}" if joined else ""


def _examples() -> list[tuple[str, Wish | None]]:
    """Labelled sentences of system prompts; None: no wish for the form."""
    lines = (files(__package__) / "data" / "wishes.jsonl").read_text("utf-8").splitlines()
    return [(record["text"], record["wish"]) for record in map(json.loads, lines)]
