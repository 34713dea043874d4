"""An embedding model that makes up the vectors of documents, and embeds questions as the real one does.

Embedding 100,000 chunks takes an hour on a small machine; how quick a search is depends on how vectors lie, not on what
they mean. So some made-up texts are embedded for real, as centres, and each document's text gets a vector near one of
them: as far from others there as passages on one subject are, and as far from the rest as the centres are.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from kb.ports import Embedder, Vectors
from server.measure.bench.texts import LANGUAGES, Writer

CENTRES = 200
"""Texts that are embedded for real."""

SPREAD = 0.4
"""Length of what is added to a centre of length 1: two texts of one centre then have a cosine of 1 / (1 + 0.4²)."""

_OTHER_SEED = 2  # than that of the documents

_WORD = re.compile(r"[a-z]+|[^\W\d_]|\d+", re.IGNORECASE)
_TOKENS_PER_WORD = {True: 1.3, False: 0.7}  # of the default model, in English words and Chinese characters


class SyntheticEmbedder:
    """Adapter of `kb.ports.Embedder` around another one.

    Args:
        real: Embeds the centres, once there is a text to embed, and the questions.
    """

    def __init__(self, real: Embedder) -> None:
        self._real = real

    @property
    def identity(self) -> str:
        """Another one than the real model's: nobody shall take these vectors for its."""
        return f"{self._real.identity}+synthetic"

    @property
    def dimension(self) -> int:
        """See `kb.ports.Embedder`."""
        return self._real.dimension

    @property
    def max_tokens(self) -> int:
        """See `kb.ports.Embedder`."""
        return self._real.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Guesses, as that is quick."""
        return [round(sum(_TOKENS_PER_WORD[word.isascii()] for word in _WORD.findall(text))) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Embedder`; the same text gets the same vector each time."""
        vectors = [self._near_a_centre(text) for text in texts]
        return np.array(vectors, dtype=np.float32).reshape(-1, self.dimension)

    def embed_query(self, text: str) -> Vectors:
        """See `kb.ports.Embedder`."""
        return self._real.embed_query(text)

    @cached_property
    def _centres(self) -> Vectors:
        writers = [Writer(language, _OTHER_SEED) for language in LANGUAGES]
        return self._real.embed_passages([writers[n % len(writers)].paragraph(n) for n in range(CENTRES)])

    def _near_a_centre(self, text: str) -> Vectors:
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
        centre = self._centres[random.integers(len(self._centres))]
        away = random.standard_normal(self.dimension)
        vector = centre + SPREAD * away / np.linalg.norm(away)
        unit: Vectors = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit
