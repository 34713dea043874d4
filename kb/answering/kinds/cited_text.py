"""Sentences with their citations, before they stand in an answer; and how they are put into one. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace

from kb.values.answers import AnswerDelta, AnswerEvent, Citation, CitationFound


@dataclass(frozen=True, slots=True)
class CitedText:
    """Some text with what it is held against.

    Attributes:
        citations: Their `answer_start` and `answer_end` are characters of `text`; their numbers mean nothing yet.
        about: The section that it comes from, or the first of several; may be empty.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    about: str = ""

    @property
    def is_supported(self) -> bool:
        """Whether each of its citations bears it out."""
        return bool(self.citations) and all(citation.verified for citation in self.citations)


@dataclass(slots=True)
class Assembly:
    """An answer that is put together of such texts and of words that need no citation."""

    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    _numbers: dict[tuple[str, int, int], int] = field(default_factory=dict)

    @staticmethod
    def of(text: CitedText) -> "Assembly":
        """One that goes on behind a text whose numbers mean something already."""
        numbers = {_place_of(each): each.number for each in text.citations}
        return Assembly(text.text, list(text.citations), numbers)

    def say(self, words: str) -> Iterator[AnswerEvent]:
        """Adds what the service says itself."""
        if words:
            self.text += words
            yield AnswerDelta(words)

    def cite(self, *texts: CitedText) -> Iterator[AnswerEvent]:
        """Adds texts, with a space between those that need one."""
        for n, each in enumerate(texts):
            if n and self.text[-1:].isascii():
                yield from self.say(" ")
            begin = len(self.text)
            yield from self.say(each.text)
            for citation in each.citations:
                placed = self._placed(citation, begin)
                self.citations.append(placed)
                yield CitationFound(placed)

    def _placed(self, citation: Citation, begin: int) -> Citation:
        number = self._numbers.setdefault(_place_of(citation), len(self._numbers) + 1)
        start, end = begin + citation.answer_start, begin + citation.answer_end
        return replace(citation, number=number, answer_start=start, answer_end=end)


def _place_of(citation: Citation) -> tuple[str, int, int]:
    return citation.document_id, citation.start, citation.end


def to_json(texts: Iterable[CitedText]) -> str:
    """Writes texts so that `from_json` reads them."""
    return json.dumps([asdict(each) for each in texts], ensure_ascii=False)


def from_json(written: str) -> tuple[CitedText, ...]:
    """Reads what `to_json` wrote."""
    return tuple(
        CitedText(each["text"], tuple(Citation(**citation) for citation in each["citations"]), each["about"])
        for each in json.loads(written)
    )
