"""The answer with a mark `[1]` after each stretch that is cited, while both are still coming. Pure.

Whether the quote bears the stretch out is judged when the mark has gone out: the sources tell it, not the mark.
White space, the end of a table's row and the beginning of a line that may open another block are held back until it is
known whether a mark comes before them; all else goes out at once.
"""

import re
from dataclasses import dataclass, field, replace

from kb.values.answers import Citation

_HELD = re.compile(r"(?:[ \t]*\|)?[ \t]*(?:\n[\s|:*_=#`~>+-]*)?\Z")
_ROW_END = re.compile(r"[ \t]*\|\Z")
_MARK = re.compile(r" ?\[\d{1,3}\](?!\()")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in the text: `text[start:end] == "[1]"`."""

    citation: Citation
    start: int
    end: int


@dataclass(slots=True)
class MarkedText:
    """The text as far as it has been given out.

    Attributes:
        marks: In order.
    """

    marks: list[Mark] = field(default_factory=list)
    _answer: str = ""
    _told: int = 0
    _length: int = 0

    @property
    def taken(self) -> int:
        """How much of the answer it has taken, in characters."""
        return len(self._answer)

    def add(self, text: str) -> str:
        """Takes some more of the answer; returns what can go out."""
        self._answer += text
        held = _HELD.search(self._answer, self._told)
        assert held, "it matches nothing at all, too"
        return self._out(held.start())

    def mark(self, citation: Citation) -> str:
        """Sets a mark behind the stretch that a citation supports; returns what goes out with it."""
        row_end = _ROW_END.search(self._answer, 0, citation.answer_end)
        out = self._out(row_end.start() if row_end else citation.answer_end)
        mark = f"[{citation.number}]"
        if not self.marks or self.marks[-1].citation.answer_end != citation.answer_end:
            out += " "
            self._length += 1
        self.marks.append(Mark(citation, self._length, self._length + len(mark)))
        self._length += len(mark)
        return out + mark

    def judge(self, citation: Citation) -> None:
        """Takes what has come of a citation when its stretch was judged; its mark has gone out by then."""
        self.marks = [
            replace(mark, citation=citation) if _is_same(mark.citation, citation) else mark for mark in self.marks
        ]

    def finish(self) -> str:
        """Gives out what was held back."""
        return self._out(len(self._answer))

    def _out(self, end: int) -> str:
        out = self._answer[self._told : end]
        self._told = max(self._told, end)
        self._length += len(out)
        return out


def _is_same(one: Citation, other: Citation) -> bool:
    return (one.number, one.answer_start, one.answer_end) == (other.number, other.answer_start, other.answer_end)


def without_marks(text: str) -> str:
    """An answer as it was before it was marked."""
    return _MARK.sub("", text)
