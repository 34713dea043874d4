"""An answer while it is being written: its text so far, and the citations of the sentences that have ended.

Knows nothing about models; what belongs to the reasoning is told by the phase of each delta.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kb.citing.citations import Citer
from kb.citing.markers import MarkerFilter
from kb.citing.statements import statements
from kb.values.answers import AnswerDelta, AnswerEvent, Citation, CitationFound, FinishReason, ReasoningDelta
from kb.values.chat import Delta, GenerationEnd


@dataclass(slots=True)
class Draft:
    """The answer as far as it is written, and its citations as far as its sentences have ended.

    Attributes:
        end: How the generation ended; None while it goes on.
    """

    question: str
    citer: Citer
    answer: str = ""
    reasoning: str = ""
    citations: list[Citation] = field(default_factory=list)
    end: GenerationEnd | None = None
    _markers: MarkerFilter = field(default_factory=MarkerFilter)
    _cited_until: int = 0

    @property
    def finish_reason(self) -> FinishReason:
        """How the generation ended."""
        return self.end.finish_reason if self.end else "cancelled"

    def add(self, delta: Delta) -> Iterator[AnswerEvent]:
        """Takes the next piece from the model."""
        if delta.phase == "reasoning":
            self.reasoning += delta.text
            yield ReasoningDelta(delta.text)
            return
        yield from self._write(self._markers.feed(delta.text), ended=False)

    def finish(self) -> Iterator[AnswerEvent]:
        """Cites what ended without a sign."""
        yield from self._write(self._markers.flush(), ended=True)

    def remark(self, text: str) -> Iterator[AnswerEvent]:
        """Adds what the service itself has to say, on a line of its own; it is not cited."""
        text = f"\n\n{text}" if self.answer else text
        self.answer += text
        yield AnswerDelta(text)

    def _write(self, text: str, *, ended: bool) -> Iterator[AnswerEvent]:
        """Adds a text. Citations come as soon as the text they support is out, before what follows it."""
        told = len(self.answer)
        self.answer += text
        spans, self._cited_until = statements(self.answer, self._cited_until, question=self.question, ended=ended)
        for start, end in spans:
            if citations := self.citer.cite(self.answer, (start, end)):
                yield from self._tell(told, end)
                told = max(told, end)
                self.citations += citations
                yield from map(CitationFound, citations)
        yield from self._tell(told, len(self.answer))

    def _tell(self, start: int, end: int) -> Iterator[AnswerEvent]:
        if start < end:
            yield AnswerDelta(self.answer[start:end])
