"""How likely it is that a passage holds the answer to a question, judged before anything is generated.

Pure. It sees what the search saw (cosine, words) and which words of the question the passage holds.

The weights are a logistic regression on XQuAD (400 questions each in English and Chinese, in three states of the base:
whole, without the article, without the paragraph), and on 116 questions to quarterly reports, whose pages are so alike
that the distance to the next best passage, which helps elsewhere, would decline two of five of them. The threshold is
where some 3 % of the answerable questions are declined; then 95 % are if the article is gone, and 60 % if only the
paragraph is. Across languages the cosine tells less: those weights come from XQuAD with every other article in Chinese
and the rest in English. There 1 % of the questions in the language of their article are declined, and 21 % of the
others; without the article 68 % and 75 %.

What sounds as if it were there is the harder kind: "what does it cost" of a thing that is described at length. There
a look helps: what the answering model shows when it is asked whether the sources hold the answer. It costs some 25
tokens of prompt. Its scale is another one for each model, so only a model that is calibrated is asked.
"""

import math

from kb.text.languages import language
from kb.text.terms import content_terms
from kb.values.passages import Passage

CALIBRATED_MODEL = "multilingual-e5-small"
"""The embedding model whose cosines the weights are made for."""

_WITHIN_LANGUAGE = (44.8, 16.2, 3.7, -1.5, -39.06)
_ACROSS_LANGUAGES = (86.1, 5.8, 6.8, -1.0, -66.3)
_WORDS_ALONE = (0.0, 27.5, 4.6, 0.9, -3.2)
"""Weights of cosine, what the words add to the score, coverage, and Chinese; and the constant."""

_UNKNOWN = 0.6
"""Where neither cosine nor words can tell, the answer is taken to be there; what the model finds may overrule it."""


_OF_SEARCH, _OF_LOOK, _CONSTANT = 1.0, 1.0, 0.0
"""What search and look count together."""

_MOST_LOG_ODDS = 2.5
"""What the search finds more evidence than this for, it finds no more likely: it cannot tell a thing from its price."""


def likelihood(query: str, passage: Passage, *, is_calibrated: bool = True) -> float:
    """How likely a passage holds the answer.

    Args:
        query: What the passage was found with.
        is_calibrated: Whether the cosines are those of `CALIBRATED_MODEL`. If they are not, or there is none, the words
            decide.

    Returns:
        A probability in 0…1, such that 0.5 is a good threshold.
    """
    query_language = language(query)
    across = query_language != language(passage.text)
    is_comparable = is_calibrated and passage.similarity is not None
    if across and not is_comparable:
        return _UNKNOWN
    weights = _WORDS_ALONE if not is_comparable else _ACROSS_LANGUAGES if across else _WITHIN_LANGUAGE
    cosine, words, covered, chinese, constant = weights
    return _sigmoid(
        cosine * (passage.similarity or 0.0)
        + words * passage.words
        + covered * coverage(query, passage)
        + chinese * float(query_language == "zh")
        + constant
    )


def with_look(evidence: float, look: float) -> float:
    """How likely the answer is there, now that the model has been asked.

    Args:
        evidence: How likely it was before, in 0…1.
        look: The logarithm of how much likelier yes is than no, by what the model shows and its calibration.

    Returns:
        A probability in 0…1, with the same threshold.
    """
    log_odds = min(math.log(max(evidence, 1e-9) / max(1.0 - evidence, 1e-9)), _MOST_LOG_ODDS)
    return _sigmoid(_OF_SEARCH * log_odds + _OF_LOOK * look + _CONSTANT)


def coverage(query: str, passage: Passage) -> float:
    """The share of a query's content words that a passage holds, with name and headings; in 0…1."""
    asked = set(content_terms(query))
    headings = {heading for part in passage.parts for heading in part.headings}
    held = set(content_terms("\n".join([passage.name, *headings, passage.text])))
    return len(asked & held) / len(asked) if asked else 0.0


def _sigmoid(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))
