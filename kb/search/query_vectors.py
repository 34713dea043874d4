"""The vectors of the last questions, so that what decides about a question and each search for it embed it once."""

import threading
from collections import OrderedDict

from kb.observing import Observe, unobserved
from kb.ports import Embedder, Vectors
from kb.values.happenings import VectorAsked

_KEPT = 64
"""Conversations are short: what earlier turns asked is still there."""


class QueryVectors:
    """Embeds questions, and remembers the last ones. Safe for use by several threads.

    Args:
        observe: Is told whether a vector was known.
    """

    def __init__(self, observe: Observe = unobserved) -> None:
        self._observe = observe
        self._lock = threading.Lock()
        self._vectors: OrderedDict[tuple[str, str], Vectors] = OrderedDict()

    def of(self, embedder: Embedder, text: str) -> Vectors:
        """The vector of a question.

        Returns:
            `(d,) float32`, unit norm; not to be written to.
        """
        key = (embedder.identity, text)
        with self._lock:
            known = self._vectors.get(key)
            if known is not None:
                self._vectors.move_to_end(key)
        self._observe(VectorAsked(known is not None))
        if known is not None:
            return known
        vector = embedder.embed_query(text)
        with self._lock:
            self._vectors[key] = vector
            if len(self._vectors) > _KEPT:
                self._vectors.popitem(last=False)
        return vector
