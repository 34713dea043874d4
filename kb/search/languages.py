"""What a text is nearer to a question for than for what it says: because it is near to any, or in the same language.

An embedding model lays the languages apart. Whatever is in the language of the question is nearer to it than its own
translation would be, by as much as lies between a good hit and a poor one: in a base in both languages, hits in the
other one are never seen. And some texts (a row of figures, a line of a menu, a few words of filler) are near to any
question: where the right one is a short note, such hubs are seen in its place (Radovanović et al. 2010, "Hubs in
space"; the remedy is in the manner of the local scaling of Lample et al. 2018, "Word translation without parallel
data"). Both are measured with a few texts and questions in both languages: from a cosine is taken most of what the mean
of questions in its language has with the text, and a text in the other language gets some of what is lost for that.

Measured with e5-small, by cosine alone, on 300 questions each, recall@1 and @5 as the model gives it; with all that
lies between the languages given back, and nothing else; and with this:

| | as it is | given back | this |
| --- | --- | --- | --- |
| XQuAD, English | .95/.99 | .95/.99 | .94/1.00 |
| XQuAD, Chinese | .91/.99 | .89/.99 | .92/.99 |
| every other article in Chinese: English to English | .94/1.00 | .76/.90 | .93/.99 |
| English to Chinese | .40/.69 | .81/.99 | .79/.98 |
| Chinese to Chinese | .91/.99 | .77/.93 | .91/.99 |
| Chinese to English | .02/.03 | .77/.96 | .78/.98 |
| Chinese to English, beside CMRC 2018 | .01/.04 | .72/.94 | .72/.91 |
| English to English, beside CMRC 2018 | .95/.99 | .78/.89 | .94/.99 |

Of 23 questions to 130 private notes, manuals and statutes in both languages, among 2,600 chunks, the file was among the
first four chunks for 17, 9 and 17, and the mean of its reciprocal rank .59, .37 and .68.

Pure, but for the embedding model that is measured. Knows English and Chinese, and nothing about documents.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kb.ports import Embedder, Vectors, embed_queries
from kb.search.parallel_texts import PARALLEL

TAKEN = 0.7
"""The share that is taken of what the mean question has with a text. With .5, .7 and .9 (and `GIVEN_BACK` chosen for
each) the mean of the eight figures above is .86/.96, .87/.98 and .85/.98; with more, questions within a language
lose."""

GIVEN_BACK = 0.2
"""The share that is given back of what a text loses by being in the other language; most is among what is taken."""

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
        mean_questions: Of questions in each language; `(d,) float32`.
        usual: What a usual text has with them, in its own language.
    """

    axis: Vectors
    questions: tuple[float, float]
    texts: tuple[float, float]
    gains: tuple[float, float]
    mean_questions: tuple[Vectors, Vectors]
    usual: tuple[float, float]

    def centred(self, question: Vectors) -> Vectors:
        """A question without what all have, about as near to one language as to the other, to search an index with.

        Args:
            question: `(d,) float32`.
        """
        chinese = self._share(question, self.questions)
        towards_chinese = (1 - chinese) * self.gains[0] - chinese * self.gains[1]
        shifted = question - TAKEN * _between(self.mean_questions, chinese)
        shifted += towards_chinese / (self.texts[1] - self.texts[0]) * self.axis
        return np.asarray(shifted / np.linalg.norm(shifted), np.float32)

    def gain(self, question: Vectors, texts: Vectors) -> Vectors:
        """What texts gain for not being in the language of a question, and lose for being near to any.

        Args:
            question: `(d,) float32`, as the model gave it.
            texts: `(n, d) float32`.

        Returns:
            `(n,)`, to be added to their cosines.
        """
        chinese, in_chinese = self._share(question, self.questions), self._share(texts, self.texts)
        given_back = (1 - chinese) * in_chinese * self.gains[0] + chinese * (1 - in_chinese) * self.gains[1]
        to_any = texts @ _between(self.mean_questions, chinese) - _between(self.usual, chinese)
        return np.asarray(given_back - TAKEN * to_any, np.float32)

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
        gains=(
            GIVEN_BACK * _ahead(in_english, english, chinese),
            GIVEN_BACK * _ahead(in_chinese, chinese, english),
        ),
        mean_questions=(in_english.mean(axis=0), in_chinese.mean(axis=0)),
        usual=(_usual(in_english, english), _usual(in_chinese, chinese)),
    )
    knows_both = min(_found(in_english, chinese), _found(in_chinese, english)) >= _FOUND
    return balance if knows_both and balance.questions[0] < balance.questions[1] else None


def _columns(*names: str) -> list[list[str]]:
    return [[getattr(row, name) for row in PARALLEL] for name in names]


def _ahead(questions: Vectors, same: Vectors, other: Vectors) -> float:
    """How much nearer questions are to texts in their own language than to the same texts in the other one."""
    return float((questions * (same - other)).sum(axis=1).mean())


def _usual(questions: Vectors, texts: Vectors) -> float:
    """How near the mean of questions is to the mean of texts."""
    return float(questions.mean(axis=0) @ texts.mean(axis=0))


def _between(ends: tuple[Vectors, Vectors] | tuple[float, float], share: Vectors) -> Vectors:
    """What lies on the way from the first to the second."""
    return np.asarray((1 - share) * ends[0] + share * ends[1], np.float32)


def _found(questions: Vectors, texts: Vectors) -> float:
    """The share of questions that are nearest to their own text."""
    return float(((questions @ texts.T).argmax(axis=1) == np.arange(len(texts))).mean())
