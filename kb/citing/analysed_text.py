"""What a stretch of text says, taken apart so that one text can be held against another: words, characters, numbers.

Pure. Chinese is compared by the character, each with a neighbour, so that nothing is missing at the seams of a sentence
that is put together from question and answer. Numbers are no words here: see `kb.text.quantities`.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from kb.text.dates import without_worded_dates
from kb.text.quantities import MEASURES, NUMBER_WORDS, Quantity, quantities
from kb.text.scripts import is_cjk
from kb.text.terms import content_terms, search_terms

_NAME = re.compile(r"(?<=[\w,;)’”\"'])\s+[“\"'(]?([A-Z][\w-]+)")
_NUMERALS = frozenset("零〇一二三四五六七八九十百千万亿两")
_NO_CONTENT = frozenset(term for word in [*NUMBER_WORDS, "yes"] for term in search_terms(word)) | _NUMERALS
_CHARACTER_WEIGHT = 0.5

_DIGIT = rf"[\d{''.join(sorted(_NUMERALS))}]"
_LIGHT = re.compile(
    "的?时候|应该|应当|可以|需要|一共|总共|(?<!其)[他她它]们?的?"
    rf"|(?<={_DIGIT})\s*[{MEASURES}]|(?:(?<!没)有|大约|[至到为共达约])+(?=\s*{_DIGIT})"
    r"|\b(?:about|approximately|around|roughly)(?=\s+\d)"
    r"|\baccording to (?:the|these) (?:sources?|documents?|passages?|texts?)\b"
    "|根据(?:上述|以上|这些)?(?:资料|文档|来源)",
    re.IGNORECASE,
)
"""What a document need not have to say the same: words of questions, words that stand for others, what stands beside a
number, a mention of the sources."""


@dataclass(frozen=True, slots=True)
class ContentWord:
    """The least thing that a text says.

    Attributes:
        terms: Each of them alone shows that another text says it: the term of a word, the two bigrams of a character.
        weight: How much it counts before its rarity is known.
    """

    terms: tuple[str, ...]
    weight: float = 1.0

    def is_in(self, terms: Container[str]) -> bool:
        """Whether a text says it, too."""
        return any(term in terms for term in self.terms)


class AnalysedText:
    """A stretch of text, taken apart where it is asked for, and once.

    Args:
        text: A sentence, a question, a quote.
        context: Title and headings above it: what it need not repeat.
    """

    def __init__(self, text: str, context: str = "") -> None:
        self.text = text
        self.context = context

    @cached_property
    def terms(self) -> frozenset[str]:
        """All terms of text and context."""
        return frozenset(search_terms(f"{self.context}\n{self.text}"))

    @cached_property
    def content_words(self) -> tuple[ContentWord, ...]:
        """Words and characters, in the order of the text; no function words, no numbers."""
        return tuple(dict.fromkeys(_content_words(self.text)))

    @cached_property
    def names(self) -> frozenset[str]:
        """Terms of the capitalised words that neither begin a sentence nor belong to a date."""
        names = _NAME.findall(without_worded_dates(self.text))
        return frozenset(term for name in names for term in content_terms(name.replace("-", " ")))

    @cached_property
    def quantities(self) -> frozenset[Quantity]:
        """The numbers of the text, which a source must have."""
        return quantities(self.text)

    @property
    def size(self) -> float:
        """How much it says, in words; a character is half of one, and all its numbers are two at most."""
        return _size(self.content_words, self.quantities)

    @cached_property
    def offered_quantities(self) -> frozenset[Quantity]:
        """The numbers of text and context: what a statement may take from them."""
        return quantities(f"{self.context}\n{self.text}", ones=True)


class AddedContent:
    """What a sentence adds to a question.

    Attributes:
        size: How much that is, in words.
    """

    def __init__(self, sentence: AnalysedText, question: AnalysedText) -> None:
        self.content_words = tuple(word for word in sentence.content_words if not word.is_in(question.terms))
        self.quantities = sentence.quantities - question.quantities
        self.size = _size(self.content_words, self.quantities)


class TermRarity:
    """How much each thing that a text may say counts among some texts: the more, the fewer of them say it.

    Args:
        wordings: Each of them weighs its terms once.
    """

    def __init__(self, texts: Iterable[AnalysedText]) -> None:
        all_terms = [analysed_text.terms for analysed_text in texts]
        frequency = Counter(term for terms in all_terms for term in terms)
        self._weights = {term: math.log1p(len(all_terms) / count) for term, count in frequency.items()}
        self._unseen = math.log1p(max(1, len(all_terms)))

    @property
    def terms(self) -> Set[str]:
        """All that the texts say."""
        return self._weights.keys()

    def share(self, content_words: Iterable[ContentWord], terms: Container[str]) -> float:
        """The share of some atoms, by weight, that a text says; 1 where there are none."""
        said, total = self.weights(content_words, terms)
        return said / total if total else 1.0

    def weights(self, content_words: Iterable[ContentWord], terms: Container[str]) -> tuple[float, float]:
        """The weight of those atoms that a text says, and of all."""
        said = total = 0.0
        for word in content_words:
            weight = self._weight(word)
            total += weight
            if word.is_in(terms):
                said += weight
        return said, total

    def _weight(self, word: ContentWord) -> float:
        rarities = [self._weights.get(term, self._unseen) for term in word.terms]
        return word.weight * sum(rarities) / len(rarities)


def _size(content_words: Iterable[ContentWord], numbers: Collection[Quantity]) -> float:
    return sum(word.weight for word in content_words) + min(len(numbers), 2)


def _content_words(text: str) -> Iterator[ContentWord]:
    run: list[str] = []
    for term in search_terms(_LIGHT.sub(" ", without_worded_dates(text))):
        if run and (not _is_bigram(term) or run[-1][1] != term[0]):
            yield from _characters(run)
            run = []
        if _is_bigram(term):
            run.append(term)
        elif _is_content(term) and not term[0].isdigit() and term not in _NO_CONTENT:
            yield ContentWord((term,), _CHARACTER_WEIGHT if is_cjk(term) else 1.0)
    yield from _characters(run)


def _characters(bigrams: list[str]) -> Iterator[ContentWord]:
    """The characters of a run that is cut into overlapping bigrams, those of function words and numbers left out."""
    pairs: Iterable[tuple[str, ...]] = pairwise(bigrams)
    in_bigrams = [bigrams[:1], *pairs, bigrams[-1:]] if bigrams else []
    for place, terms in enumerate(in_bigrams):
        character = bigrams[place][0] if place < len(bigrams) else bigrams[-1][1]
        if _is_content(character) and character not in _NUMERALS:
            yield ContentWord(tuple(terms), _CHARACTER_WEIGHT)


def _is_bigram(term: str) -> bool:
    return len(term) == 2 and is_cjk(term)


@lru_cache(maxsize=8192)
def _is_content(term: str) -> bool:
    return bool(content_terms(term))
