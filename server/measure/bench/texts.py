"""Documents and questions put together from made-up words, Chinese and English by turns: the same ones each time.

They mean nothing. What they share with real ones is what makes a search quick or slow: a few words that stand nearly
everywhere and very many rare ones, words that go together in a document, and questions in the words of a document.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from kb.values.documents import Block, BlockKind, Document

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

FREQUENT_WORDS: dict[Language, str] = {
    "en": "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they "
    "which one you were all her she there would their we him been has when who will no more if out so up said its",
    "zh": "的 是 在 了 和 有 一个 我们 不 这 也 他 就 都 中国 可以 没有 他们 自己 这个 问题 对 进行 发展 工作 "
    "以及 因为 已经 通过 其中 但是 如果 时间 这些 主要 可能 现在 需要 成为 之后 由于 认为 使用 系统 研究 方法",
}
"""Words that stand nearly everywhere, the most frequent first."""

RARE_WORDS = 30_000
TOPICS = 500
WORDS_PER_TOPIC = 60
TOPIC_SHARE = 0.3
"""Share of the words of a document that are of its topic."""

SECTIONS, SECTIONS_SPREAD, MAX_SECTIONS = 6, 1.2, 400
"""Half of the documents have no more sections; the logarithm of their number has a normal distribution."""

PARAGRAPHS, SENTENCES = 3, 4
"""Of a section and of a paragraph."""

_SYLLABLES = [first + vowel + last for first in "bdfgklmnprstv" for vowel in "aeiou" for last in ("", "n", "r", "s")]
_CHARACTERS = [chr(0x4E00 + number) for number in range(0, 12_000, 4)]
_QUESTION: dict[Language, str] = {"en": "What is the {}?", "zh": "请问{}是什么？"}
_QUESTION_WORDS = 7


@dataclass(frozen=True)
class Writer:
    """Writes documents in one language.

    Attributes:
        seed: Another one writes others.
    """

    language: Language
    seed: int = 1

    @property
    def words(self) -> tuple[str, ...]:
        """All words, the most frequent first."""
        return _words(self.language, self.seed)

    @property
    def _space(self) -> str:
        return " " if self.language == "en" else ""

    def document(self, number: int) -> Document:
        """Writes one document.

        Args:
            number: The same one gives the same document.
        """
        random = np.random.default_rng((self.seed, number))
        topic = int(random.integers(TOPICS))
        title = self._heading(random, topic)
        parts: list[tuple[str, BlockKind, tuple[str, ...]]] = [(title, BlockKind.HEADING, (title,))]
        for _ in range(min(MAX_SECTIONS, 1 + int(random.lognormal(np.log(SECTIONS), SECTIONS_SPREAD)))):
            headings = (title, self._heading(random, topic))
            parts.append((headings[-1], BlockKind.HEADING, headings))
            parts += [(self._paragraph(random, topic), BlockKind.PROSE, headings) for _ in range(PARAGRAPHS)]
        blocks, start = [], 0
        for text, kind, path in parts:
            blocks.append(Block(start, start + len(text), kind, path))
            start += len(text) + 2
        whole = "\n\n".join(text for text, _, _ in parts)
        return Document(title, "text/markdown", whole, tuple(blocks), has_own_title=True)

    def paragraph(self, number: int) -> str:
        """Writes one paragraph.

        Args:
            number: The same one gives the same paragraph.
        """
        random = np.random.default_rng((self.seed, number))
        return self._paragraph(random, int(random.integers(TOPICS)))

    def question(self, number: int, variant: int = 0) -> str:
        """Asks in the words of a document's topic, with frequent ones among them.

        Args:
            number: Of the document.
            variant: Another one makes another question.
        """
        topic = int(np.random.default_rng((self.seed, number)).integers(TOPICS))
        words = self._draw(np.random.default_rng((self.seed, number, variant)), topic, _QUESTION_WORDS)
        return _QUESTION[self.language].format(self._space.join(words))

    def _heading(self, random: np.random.Generator, topic: int) -> str:
        return self._space.join(self._draw(random, topic, 4))

    def _paragraph(self, random: np.random.Generator, topic: int) -> str:
        return self._space.join(self._sentence(random, topic) for _ in range(SENTENCES))

    def _sentence(self, random: np.random.Generator, topic: int) -> str:
        words = self._draw(random, topic, int(random.integers(7, 22)))
        year = f"{random.integers(1900, 2030)}"
        if self.language == "en":
            return f"{' '.join(words).capitalize()} {year}."
        half = len(words) // 2
        return f"{''.join(words[:half])}，{''.join(words[half:])}{year}年。"

    def _draw(self, random: np.random.Generator, topic: int, count: int) -> list[str]:
        """Draws words, some of them from the topic's own, which are all rare ones."""
        ranks = zipf_ranks(random, len(self.words), count)
        frequent = len(FREQUENT_WORDS[self.language].split())
        own = np.random.default_rng((self.seed, topic)).integers(frequent, len(self.words), WORDS_PER_TOPIC)
        ranks = np.where(random.random(count) < TOPIC_SHARE, own[zipf_ranks(random, len(own), count)], ranks)
        return [self.words[rank] for rank in ranks]


def zipf_ranks(random: np.random.Generator, size: int, count: int) -> npt.NDArray[np.int64]:
    """Draws ranks from 0 to size - 1, each as often as Zipf's law has it: with a weight of 1 / (rank + 1)."""
    weights = _cumulative_weights(size)
    ranks: npt.NDArray[np.int64] = np.searchsorted(weights, random.random(count) * weights[-1])
    return ranks


@cache
def _words(language: Language, seed: int) -> tuple[str, ...]:
    random = np.random.default_rng(seed)
    pieces, shortest, longest = (_SYLLABLES, 2, 3) if language == "en" else (_CHARACTERS, 2, 2)
    ranks = zipf_ranks(random, len(pieces), RARE_WORDS * longest).reshape(-1, longest)
    lengths = random.integers(shortest, longest + 1, len(ranks))
    rare = ("".join(pieces[rank] for rank in row[:length]) for row, length in zip(ranks, lengths, strict=True))
    return tuple(dict.fromkeys([*FREQUENT_WORDS[language].split(), *rare]))


@cache
def _cumulative_weights(size: int) -> npt.NDArray[np.float64]:
    return np.cumsum(1.0 / np.arange(1, size + 1))
