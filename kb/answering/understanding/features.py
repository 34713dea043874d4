"""What is seen of a question: its embedding, and beside it which words it has. Pure.

An embedding says what a question is about; whether it asks what the two cost, or what they cost together, is a word in
it. So the terms of a question have places of their own, by a hash, and what they mean is learned from the labelled
questions, not written down. With multilingual-e5-small, where some 4.5 % of the questions of XQuAD in English are taken
for another kind, .78 of the held questions for parts are told, without the words .59; of the unseen ones .72 and .59.
"""

import zlib

import numpy as np

from kb.ports import Vectors
from kb.text.terms import search_terms

PLACES = 1024
"""Of words; several may share one."""

_WEIGHT = 0.4  # of the words beside an embedding of unit norm


def features_of(question: str, vector: Vectors) -> Vectors:
    """Puts the words of a question behind its embedding.

    Args:
        vector: `(d,) float32`, as the embedder embeds a question.

    Returns:
        `(d + PLACES,) float32`.
    """
    words = np.zeros(PLACES, dtype=np.float32)
    for term in set(search_terms(question)):
        words[zlib.crc32(term.encode()) % PLACES] += 1.0
    return np.concatenate([vector, _WEIGHT * words / max(float(np.linalg.norm(words)), 1.0)])
