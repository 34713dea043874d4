"""An answer while it is being written: its text so far, and the citations of the statements that have ended.

Knows nothing about models; what belongs to the reasoning is told by the phase of each delta.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from kb.answering.drafting.verifying import needs_no_judge
from kb.citing.citations import Alignment, Citer
from kb.citing.markers import MarkerFilter
from kb.citing.statements import statements
from kb.judging.verdicts import CONTRADICTED, verdict_of
from kb.ports import Judge
from kb.text.sentences import Span
from kb.values.answers import AnswerDelta, AnswerEvent, Citation, CitationFound, FinishReason, ReasoningDelta
from kb.values.chat import Delta, GenerationEnd

MOST_JUDGED = 16
"""Of an answer of more statements only so many are judged: each takes a second."""


@dataclass(slots=True)
class Statement:
    """A stretch of the answer that says something.

    Attributes:
        probability: That it is borne out; None: not judged.
    """

    span: Span
    alignment: Alignment
    citations: tuple[Citation, ...] = ()
    probability: float | None = None


@dataclass(slots=True)
class Draft:
    """The answer as far as it is written, and its citations as far as its statements have ended.

    Attributes:
        end: How the generation ended; None while it goes on.
    """

    question: str
    citer: Citer
    answer: str = ""
    reasoning: str = ""
    end: GenerationEnd | None = None
    _statements: list[Statement] = field(default_factory=list)
    _markers: MarkerFilter = field(default_factory=MarkerFilter)
    _cited_until: int = 0

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Of all statements, in their order."""
        return tuple(citation for statement in self._statements for citation in statement.citations)

    @property
    def finish_reason(self) -> FinishReason:
        """How the generation ended."""
        return self.end.finish_reason if self.end else "cancelled"

    @property
    def is_unsupported(self) -> bool:
        """Whether all that was said has been judged, and is as good as certainly not borne out."""
        likely = [each.probability for each in self._statements if each.probability is not None]
        return bool(likely) and len(likely) == len(self._statements) and max(likely) <= CONTRADICTED

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

    def judged(self, judge: Judge, passages: Sequence[str]) -> Generator[AnswerEvent, None, None]:
        """Has what is not settled yet judged, statement by statement.

        Args:
            passages: What the answer was made from.
        """
        unsettled = [each for each in self._statements if not self._is_settled(each)]
        for statement in unsettled[:MOST_JUDGED]:
            text = self.answer[slice(*statement.span)]
            statement.probability = yield from judge.judge(passages, text, self.question)
            if statement.probability is not None:
                yield from self._cite(statement)

    @property
    def supported(self) -> list[Statement]:
        """What is said to be borne out."""
        return [each for each in self._statements if each.citations and each.citations[0].verified]

    def say(self, text: str) -> Iterator[AnswerEvent]:
        """Adds what the service says itself; it is not cited."""
        self.answer += text
        yield AnswerDelta(text)

    def state(self, text: str, statement: str, probability: float | None) -> Iterator[AnswerEvent]:
        """Adds what the service has found in a place, and cites that.

        Args:
            statement: What the place says in whole.
            probability: That it is borne out.
        """
        span = (len(self.answer), len(self.answer) + len(text))
        yield from self.say(text)
        if alignment := self.citer.align(statement):
            self._statements.append(Statement(span, alignment, probability=probability))
            yield from self._cite(self._statements[-1])

    def remark(self, text: str) -> Iterator[AnswerEvent]:
        """Adds what the service itself has to say, on a line of its own; it is not cited."""
        yield from self.say(f"\n\n{text}" if self.answer else text)

    def _write(self, text: str, *, ended: bool) -> Iterator[AnswerEvent]:
        """Adds a text. Citations come as soon as the text they support is out, before what follows it."""
        told = len(self.answer)
        self.answer += text
        spans, self._cited_until = statements(self.answer, self._cited_until, question=self.question, ended=ended)
        for span in spans:
            if alignment := self.citer.align(self.answer[slice(*span)]):
                yield from self._tell(told, span[1])
                told = max(told, span[1])
                self._statements.append(Statement(span, alignment))
                yield from self._cite(self._statements[-1])
        yield from self._tell(told, len(self.answer))

    def _tell(self, start: int, end: int) -> Iterator[AnswerEvent]:
        if start < end:
            yield AnswerDelta(self.answer[start:end])

    def _cite(self, statement: Statement) -> Iterator[CitationFound]:
        alignment, probability = statement.alignment, statement.probability
        is_said = self._is_settled(statement)
        verdict = verdict_of(probability, alignment.score, is_said=is_said, lacks=alignment.lacks)
        statement.citations = self.citer.citations(alignment, statement.span, verdict, probability)
        yield from map(CitationFound, statement.citations)

    def _is_settled(self, statement: Statement) -> bool:
        return needs_no_judge(statement.alignment, self.answer[slice(*statement.span)], self.question)
