"""The vectors of the last questions, so that what decides about a question and each search for it embed it once."""

import threading
from collections import OrderedDict

from kb.ports import Embedder, Vectors

_KEPT = 64
"""Conversations are short: what earlier turns asked is still there."""


class QueryVectors:
    """Embeds questions, and remembers the last ones. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vectors: OrderedDict[tuple[str, str], Vectors] = OrderedDict()

    def of(self, embedder: Embedder, text: str) -> Vectors:
        """The vector of a question.

        Returns:
            `(d,) float32`, unit norm; not to be written to.
        """
        key = (embedder.identity, text)
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
        vector = embedder.embed_query(text)
        with self._lock:
            self._vectors[key] = vector
            if len(self._vectors) > _KEPT:
                self._vectors.popitem(last=False)
        return vector
