"""The events of an answer → what a client of the OpenAI API reads, piece by piece or whole. Does no I/O."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from kb.values.answers import (
    Answer,
    AnswerDelta,
    AnswerEvent,
    Citation,
    CitationFound,
    Done,
    PassagesFound,
    ReasoningDelta,
)
from kb.values.passages import Passage
from server.http import schemas as wire
from server.http.openai import openwebui, schemas
from server.http.openai.footnotes import footnotes
from server.http.openai.marks import MarkedText
from server.http.openai.places import Places, first_of_each
from server.http.openai.stops import StopText


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more of the completion; one of its fields is set.

    Attributes:
        event: For Open WebUI.
    """

    reasoning: str = ""
    content: str = ""
    event: dict[str, Any] | None = None


class Completion:
    """A completion that grows.

    Args:
        question: What was asked.
        places: Names and addresses of the sources.
        stop: Texts that end it.
        for_open_webui: Whether sources are told by events; else by annotations.
        with_footnotes: Whether a list of sources ends the content.

    Attributes:
        is_over: Whether nothing more comes.
        content: The text so far, with marks.
        reasoning: What was thought so far.
    """

    def __init__(
        self,
        question: str,
        places: Places,
        *,
        stop: Sequence[str] = (),
        for_open_webui: bool = False,
        with_footnotes: bool = False,
    ) -> None:
        self.is_over = False
        self.content = ""
        self.reasoning = ""
        self._question = question
        self._places = places
        self._for_open_webui = for_open_webui
        self._with_footnotes = with_footnotes
        self._stop = StopText(stop)
        self._marked = MarkedText()
        self._due: list[Citation] = []
        self._passages: Sequence[Passage] = ()
        self._answer = Answer(answerable=True, finish_reason="stop")

    def take(self, event: AnswerEvent) -> Iterator[Piece]:
        """Takes the next event."""
        for piece in self._pieces(event):
            if piece.event or piece.reasoning or piece.content:
                self.reasoning += piece.reasoning
                self.content += piece.content
                yield piece

    async def take_all(self, events: AsyncGenerator[AnswerEvent, None]) -> None:
        """Takes all events, up to the end; nobody is told the pieces."""
        async with aclosing(events):
            async for event in events:
                for _ in self.take(event):
                    pass
                if self.is_over:
                    break

    @property
    def finish_reason(self) -> Literal["stop", "length"]:
        """Why it ended; an answer whose time was up is one that was too long."""
        return "length" if self._answer.finish_reason in ("length", "cancelled") else "stop"

    @property
    def answered_by(self) -> str:
        """Which model has answered; empty: none has."""
        return self._answer.model

    @property
    def instead(self) -> str:
        """Why the small model has answered in the place of the large one; empty: it has not."""
        return self._answer.instead

    @property
    def usage(self) -> schemas.Usage:
        """Numbers of tokens."""
        spent = self._answer.timings
        generated = spent.reasoning_tokens + spent.answer_tokens
        return schemas.Usage(
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=generated,
            total_tokens=spent.prompt_tokens + generated,
            completion_tokens_details=schemas.TokenDetails(reasoning_tokens=spent.reasoning_tokens),
        )

    @property
    def annotations(self) -> list[schemas.Annotation]:
        """The sources; none where they were told by events."""
        if self._for_open_webui:
            return []
        cited = [
            schemas.Annotation(
                url_citation=self._url_citation(mark.citation, mark.start, mark.end),
                source=wire.Citation.model_validate(mark.citation),
            )
            for mark in self._marked.marks
        ]
        end = len(self.content)
        return cited + [
            schemas.Annotation(
                url_citation=self._url_citation(passage, end, end), source=wire.Passage.model_validate(passage)
            )
            for passage in self._nearest
        ]

    def message(self) -> schemas.AnswerMessage:
        """The whole."""
        return schemas.AnswerMessage(
            content=self.content, reasoning_content=self.reasoning or None, annotations=self.annotations
        )

    @property
    def _nearest(self) -> Sequence[Passage]:
        """The passages that are shown where there is no answer."""
        return () if self._answer.answerable else self._passages

    def _pieces(self, event: AnswerEvent) -> Iterator[Piece]:
        match event:
            case PassagesFound():
                self._passages = event.passages
                if self._for_open_webui:
                    yield Piece(event=openwebui.found(self._question, len(event.passages)))
            case ReasoningDelta():
                yield Piece(reasoning=event.text)
            case AnswerDelta():
                yield from self._write(self._stop.add(event.text))
                if self._stop.is_found:
                    yield from self._finish()
            case CitationFound(citation):
                if citation.probability is None:
                    self._due.append(citation)
                    yield from self._write("")
                else:
                    self._marked.judge(citation)
            case Done():
                self._answer = event.answer
                yield from self._write(self._stop.finish())
                yield from self._finish()

    def _write(self, text: str) -> Iterator[Piece]:
        """Adds a text, and the marks of what has gone out by then: a stop may have held back what they stand behind."""
        yield Piece(content=self._marked.add(text))
        while self._due and self._due[0].answer_end <= self._marked.taken:
            yield Piece(content=self._marked.mark(self._due.pop(0)))

    def _finish(self) -> Iterator[Piece]:
        self.is_over = True
        yield Piece(content=self._marked.finish())
        if self._answer.draft:
            yield Piece(content=f"\n\n{self._answer.answer}")
        cited = [mark.citation for mark in self._marked.marks]
        if self._for_open_webui:
            if self._answer.instead:
                yield Piece(event=openwebui.told(self._answer.instead))
            yield from (Piece(event=openwebui.cited(each, self._places)) for each in first_of_each(cited))
            yield from (Piece(event=openwebui.shown(passage, self._places)) for passage in self._nearest)
        elif self._with_footnotes:
            yield Piece(content=footnotes(cited, self._nearest, self._places))

    def _url_citation(self, place: Citation | Passage, start: int, end: int) -> schemas.UrlCitation:
        return schemas.UrlCitation(
            url=self._places.url(place), title=self._places.name(place), start_index=start, end_index=end
        )
