"""An answer, and the events it comes in: frozen values that travel from `kb.answering` to the edges.

Offsets are half-open and count characters (Unicode code points). Nothing here does any work.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

from kb.values.chat import Heartbeat
from kb.values.documents import DocumentInfo
from kb.values.passages import Passage

Thinking = Literal["auto", "off", "short", "full"]
FinishReason = Literal["stop", "length", "no_evidence", "cancelled"]
QuestionKind = Literal["lookup", "parts", "document", "exhaustive", "inventory"]
"""A fact from one place; several facts put together; what a document says; all of something, wherever it stands; which
documents there are."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a stretch of the answer is supported: `document.text[start:end] == quote`.

    Attributes:
        number: 1-based, in order of first appearance; the same span keeps its number.
        answer_start: With `answer_end`, the stretch of the answer, in characters of the answer.
        verified: Whether the quote holds the words, numbers and names that the stretch of the answer needs.
        score: Support in 0…1.
    """

    number: int
    document_id: str
    title: str
    source: str
    page: int | None
    heading: str
    quote: str
    start: int
    end: int
    answer_start: int
    answer_end: int
    verified: bool
    score: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one question went: milliseconds since the question arrived, and tokens."""

    retrieve_ms: float = 0.0
    prompt_ms: float = 0.0
    first_reasoning_ms: float | None = None
    first_answer_ms: float | None = None
    total_ms: float = 0.0
    prompt_tokens: int = 0
    reasoning_tokens: int = 0
    answer_tokens: int = 0


@dataclass(frozen=True, slots=True)
class IndexState:
    """How current the index was when a question was answered.

    Attributes:
        refreshed: Paths of documents whose file had changed, moved or gone; the index has followed it for this answer.
        stale: Paths of documents whose file has changed or gone, too late to follow; they did not answer.
    """

    pending: int = 0
    failed: int = 0
    last_sync: datetime.datetime | None = None
    refreshed: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the model did not see: there was no room for it in the prompt, or it was kept back.

    Attributes:
        turns: How many of the earlier turns.
        passages: Numbers of the passages of which the model saw nothing.
        instructions: How many sentences of the passages were kept back, because they speak to the one who answers.
    """

    turns: int = 0
    passages: tuple[int, ...] = ()
    instructions: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to one question.

    Attributes:
        evidence: How likely the passages hold an answer, in 0…1; below the threshold of the settings none is given.
        unanswered: What of the question has no source in the passages, though the rest has.
        left_out: What the model did not see.
        kind: Of the question.
        documents: Those that an inventory names, newest first.
    """

    answer: str = ""
    reasoning: str = ""
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    answerable: bool = False
    model: str = ""
    finish_reason: FinishReason = "cancelled"
    timings: Timings = Timings()
    index: IndexState = IndexState()
    evidence: float = 0.0
    unanswered: tuple[str, ...] = ()
    left_out: LeftOut = LeftOut()
    kind: QuestionKind = "lookup"
    documents: tuple[DocumentInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """Event: the passages, sent before any generation."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """Event: some more of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """Event: some more of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationFound:
    """Event: the support of a sentence that has just ended."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Done:
    """Event: the last one, with everything that was streamed put together."""

    answer: Answer


AnswerEvent = PassagesFound | Heartbeat | ReasoningDelta | AnswerDelta | CitationFound | Done
