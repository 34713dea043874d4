"""Questions in one language and texts in the other: what they lose in cosine is measured, and given back.

An embedding model lays the languages apart. Whatever is in the language of the question is nearer to it than its own
translation would be, by as much as lies between a good hit and a poor one: in a base in both languages, hits in the
other one are never seen. That distance is much the same for all texts, so that a few of them tell it.

Measured with e5-small on XQuAD, every other article in Chinese and the rest in English, recall@1 and @5 without the
balance and with it: English questions to English articles .979/1.000 and .978/1.000, to Chinese ones .312/.536 and
.727/.961; Chinese questions to Chinese articles .946/1.000 and .938/.997, to English ones .026/.059 and .789/.933,
which is what they reach where nothing else is there. Taking the axis out of the question reached .392/.673 and
.362/.595 (in the manner of Yang et al. 2021, "A simple and effective method to eliminate the self language bias in
multilingual representations").

Chinese questions to XQuAD's English paragraphs, among 256 Chinese ones (`kb eval squad xquad.en.json --questions-from
xquad.zh.json --beside trial.json` of CMRC 2018): .028/.050 and .671/.881.

Pure, but for the embedding model that is measured. Knows English and Chinese, and nothing about documents.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kb.ports import Embedder, Vectors, embed_queries
from kb.search.parallel_texts import PARALLEL

LEAD = -0.01
"""What a text in the language of the question keeps ahead of its translation, in units of cosine: less than nothing,
for its words put it ahead."""

_PURE = 0.25
"""A text that lies no farther than this from one language, on the way to the other, is all in the one."""

_FOUND = 0.75
"""A model that finds fewer of the texts by questions in the other language does not know both, and is left alone."""


@dataclass(frozen=True, slots=True)
class LanguageBalance:
    """How an embedding model sees English (0) and Chinese (1).

    Attributes:
        axis: From the one to the other; `(d,) float32`, unit norm.
        questions: Where questions in each language lie on the axis.
        texts: Where texts do.
        gains: For questions in each language, what a text in the other one is to gain, in units of cosine.
    """

    axis: Vectors
    questions: tuple[float, float]
    texts: tuple[float, float]
    gains: tuple[float, float]

    def centred(self, question: Vectors) -> Vectors:
        """A question that is as near to one language as to the other, to search an index with.

        Args:
            question: `(d,) float32`.
        """
        chinese = self._share(question, self.questions)
        towards_chinese = (1 - chinese) * self.gains[0] - chinese * self.gains[1]
        shifted = question + towards_chinese / (self.texts[1] - self.texts[0]) * self.axis
        return (shifted / np.linalg.norm(shifted)).astype(np.float32)

    def gain(self, question: Vectors, texts: Vectors) -> Vectors:
        """What texts gain for not being in the language of a question.

        Args:
            question: `(d,) float32`, as the model gave it.
            texts: `(n, d) float32`.

        Returns:
            `(n,)`, to be added to their cosines.
        """
        chinese, in_chinese = self._share(question, self.questions), self._share(texts, self.texts)
        return (1 - chinese) * in_chinese * self.gains[0] + chinese * (1 - in_chinese) * self.gains[1]

    def _share(self, vectors: Vectors, ends: tuple[float, float]) -> Vectors:
        way = (vectors @ self.axis - ends[0]) / (ends[1] - ends[0])
        return np.asarray(np.clip((way - _PURE) / (1 - 2 * _PURE), 0.0, 1.0), np.float32)


MeasureBalance = Callable[[Embedder], LanguageBalance | None]


def no_balance(_: Embedder) -> None:
    """Leaves the languages as a model sees them."""


def measure(embedder: Embedder) -> LanguageBalance | None:
    """Measures an embedding model; takes it about half a second.

    Returns:
        None where it does not know both languages.
    """
    english, chinese = (embedder.embed_passages(list(texts)) for texts in _columns("text", "chinese_text"))
    in_english, in_chinese = (
        embed_queries(embedder, list(questions)) for questions in _columns("question", "chinese_question")
    )
    apart = (chinese - english).mean(axis=0)
    axis = apart / (np.linalg.norm(apart) or 1.0)
    balance = LanguageBalance(
        axis=axis.astype(np.float32),
        questions=(float((in_english @ axis).mean()), float((in_chinese @ axis).mean())),
        texts=(float((english @ axis).mean()), float((chinese @ axis).mean())),
        gains=(_ahead(in_english, english, chinese) - LEAD, _ahead(in_chinese, chinese, english) - LEAD),
    )
    knows_both = min(_found(in_english, chinese), _found(in_chinese, english)) >= _FOUND
    return balance if knows_both and balance.questions[0] < balance.questions[1] else None


def _columns(*names: str) -> list[list[str]]:
    return [[getattr(row, name) for row in PARALLEL] for name in names]


def _ahead(questions: Vectors, same: Vectors, other: Vectors) -> float:
    """How much nearer questions are to texts in their own language than to the same texts in the other one."""
    return float((questions * (same - other)).sum(axis=1).mean())


def _found(questions: Vectors, texts: Vectors) -> float:
    """The share of questions that are nearest to their own text."""
    return float(((questions @ texts.T).argmax(axis=1) == np.arange(len(texts))).mean())
