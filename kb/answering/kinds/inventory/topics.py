"""What a question about documents says that they are about: "boiler" in "which of my files mention the boiler?".

Pure. Which words only make up such a question is learned from the labelled ones, whose topics are marked: what they say
beside them. Words that none of them has are taken for a topic.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from kb.text.scripts import CJK, in_one_writing
from kb.text.terms import content_terms, search_terms

_PIECE = re.compile(rf"(?P<run>[{CJK}]+)|[^\W_{CJK}]+(?:[-.'’_][^\W_{CJK}]+)*")
_QUOTED = re.compile('“([^”]+)”|「([^」]+)」|《([^》]+)》|"([^"]+)"|«([^»]+)»|„([^“”]+)[“”]')
_GAP = "\n"


@dataclass(frozen=True, slots=True)
class MarkedQuestion:
    """A question about documents, and what of it says what they are about."""

    question: str
    topics: tuple[str, ...] = ()


class Topics:
    """Finds topics.

    Args:
        marked: What is learned from.
    """

    def __init__(self, marked: Iterable[MarkedQuestion]) -> None:
        frames = [_without_topics(each) for each in marked]
        pieces = [piece for frame in frames for piece in _PIECE.finditer(frame)]
        self._words = {term for piece in pieces if not piece["run"] for term in search_terms(piece[0])}
        self._pairs = {pair for piece in pieces if piece["run"] for pair in pairwise(piece[0])}

    def of(self, question: str) -> list[str]:
        """What a question says beside what such questions are made of; quoted topics alone, if there are any."""
        if quoted := _QUOTED.search(question):
            return [next(filter(None, quoted.groups())).strip()]
        found: list[str] = []
        for piece in _PIECE.finditer(in_one_writing(question)):
            found += self._of_run(piece[0]) if piece["run"] else self._of_word(piece[0])
        return found

    def _of_word(self, word: str) -> list[str]:
        return [word] if set(content_terms(word)) - self._words else []

    def _of_run(self, run: str) -> Iterator[str]:
        """The stretches of Chinese or Japanese that no pair of known characters covers."""
        known = [False] * len(run)
        for place, pair in enumerate(pairwise(run)):
            if pair in self._pairs:
                known[place] = known[place + 1] = True
        left = "".join(_GAP if is_known else character for character, is_known in zip(run, known, strict=True))
        return filter(None, map(_without_function_characters, left.split(_GAP)))


def _without_function_characters(stretch: str) -> str:
    """Takes off what is not part of a name at either end, as in 茶的."""
    while stretch and not content_terms(stretch[-1]):
        stretch = stretch[:-1]
    while stretch and not content_terms(stretch[0]):
        stretch = stretch[1:]
    return stretch


def _without_topics(marked: MarkedQuestion) -> str:
    frame = in_one_writing(marked.question)
    for topic in marked.topics:
        frame = frame.replace(in_one_writing(topic), _GAP)
    return frame
