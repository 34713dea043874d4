"""An answer, and the events it comes in: frozen values that travel from `kb.answering` to the edges.

Offsets are half-open and count characters (Unicode code points). Nothing here does any work.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

from kb.values.chat import Heartbeat
from kb.values.documents import DocumentInfo
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage
from kb.values.personal import Personal

Thinking = Literal["auto", "off", "short", "full"]
Routing = Literal["auto", "small", "large"]
"""Which of two models answers; auto: the small one what is plain."""

FinishReason = Literal["stop", "length", "no_evidence", "unsupported", "choices", "cancelled"]
Verdict = Literal["supported", "contradicted", "not_shown"]
QuestionKind = Literal["lookup", "parts", "document", "exhaustive", "inventory"]
"""A fact from one place; several facts put together; what a document says; all of something, wherever it stands; which
documents there are."""
Operation = Literal["none", "sum", "difference", "ratio", "change", "average", "share", "highest", "lowest", "days"]
"""What is to be computed: nothing, or of some numbers their sum, how much more one is, how many times as much, by which
percentage it has changed, their mean, which percentage one is of the other, the greatest, the least; days between."""
StepName = Literal["words", "leads", "part", "section", "passage", "numbers", "compose"]
Effort = Literal["auto", "quick", "thorough"]
"""How much is done to find an answer: one search; or words of the model searched for, too, what is found read, and what
that leads to; or the second, in less time, where the first has found too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """How a question is to be answered.

    Attributes:
        thinking: How long a reasoning model may think; None: as in the settings.
        top_k: How many passages, 1…50; None: as in the settings.
        filters: Which documents may answer.
        kind: What kind of question it is; None: that is told from what it means.
        effort: How much is done to find the answer; None: as in the settings.
        routing: Which of two models answers; None: as in the settings.
        answer_tokens: Longest answer, from 1; None, or more than the settings allow: as in the settings.
        wishes: A text from which wishes for the form of the answer are read, such as the system prompt of a client;
            nothing else in it counts. See `kb.answering.understanding.wishes`.
    """

    thinking: Thinking | None = None
    top_k: int | None = None
    filters: Filters = EVERYTHING
    kind: QuestionKind | None = None
    effort: Effort | None = None
    routing: Routing | None = None
    answer_tokens: int | None = None
    wishes: str = ""


AS_SET = AskOptions()
"""As in the settings, from all documents."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a stretch of the answer is supported: `document.text[start:end] == quote`.

    Attributes:
        number: 1-based, in order of first appearance; the same span keeps its number.
        answer_start: With `answer_end`, the stretch of the answer, in characters of the answer.
        verified: Whether the verdict is that it is supported.
        score: How much of the words and numbers of that stretch the quote holds, in 0…1.
        verdict: What is said of that stretch: the quotes bear it out, speak against it, or do not show it.
        probability: How likely it is borne out, in 0…1; None: nobody has judged it, or not yet.
        page_label: What is printed on the page in the place of its number; empty where that is its number.
        by_ocr: Whether the quote was read in a picture of the page, and may be misread.
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
    verdict: Verdict = "not_shown"
    probability: float | None = None
    page_label: str = ""
    by_ocr: bool = False


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one question went: milliseconds since the question arrived, and tokens."""

    retrieve_ms: float = 0.0
    prompt_ms: float = 0.0
    first_reasoning_ms: float | None = None
    first_answer_ms: float | None = None
    total_ms: float = 0.0
    prompt_tokens: int = 0
    reused_tokens: int = 0
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
        kept_here: How many passages were kept from a model elsewhere; they are not among those of the answer.
    """

    turns: int = 0
    passages: tuple[int, ...] = ()
    instructions: int = 0
    kept_here: int = 0


@dataclass(frozen=True, slots=True)
class StatedValue:
    """What one of several documents that disagree states.

    Attributes:
        value: As it is written there.
        day: Of the document, else of its file: `2026-03-01`.
    """

    value: str
    document_id: str
    title: str
    source: str
    day: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to one question.

    Attributes:
        evidence: How likely the passages hold an answer, in 0…1; below the threshold of the settings none is given.
        unanswered: What of the question has no source in the passages, though the rest has.
        draft: What the model wrote, where the passages do not bear it out; the citations are about it then.
        left_out: What the model did not see.
        instead: Why the small model has answered in the place of the large one; empty: it has not.
        kind: Of the question.
        documents: Those that an inventory names, newest first; the one that was read whole; those to choose from, the
            likeliest first, where `finish_reason` is `choices`.
        disagreement: What documents state in the place of each other, newest first; empty: they agree.
        personal: Where the answer holds personal data, if that is looked for.
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
    draft: str = ""
    instead: str = ""
    kind: QuestionKind = "lookup"
    documents: tuple[DocumentInfo, ...] = ()
    disagreement: tuple[StatedValue, ...] = ()
    personal: tuple[Personal, ...] = ()


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """Event: the passages, sent before any generation; where it comes again, in the place of those before."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Event: what is being done now, where an answer takes several steps.

    Attributes:
        doing: Words are looked for under which the answer may stand, what was read leads on to something else, or
            numbers to compute with are looked for; a part of the question is looked up, a section or a passage is read,
            or the answer is put together.
        number: Which of them, from 1.
        of: How many there are; 0: that is not known yet.
        about: The part of the question, or the place; may be empty.
    """

    doing: StepName
    number: int = 1
    of: int = 1
    about: str = ""


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
    """Event: what a sentence that has just ended is held against. Comes again when it has been judged: what came before
    of the same stretch of the answer no longer counts."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Done:
    """Event: the last one, with everything that was streamed put together."""

    answer: Answer


AnswerEvent = PassagesFound | Step | Heartbeat | ReasoningDelta | AnswerDelta | CitationFound | Done


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    """A statement of a text by anybody, held against sources.

    Attributes:
        start: With `end`, where it stands in the text, in characters.
        probability: How likely it is borne out, in 0…1; None: nobody has judged it.
        citations: What it is held against; their `answer_start` and `answer_end` are its place in the text.
    """

    start: int
    end: int
    verdict: Verdict
    probability: float | None
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """A text, checked statement by statement.

    Attributes:
        statements: In the order of the text; headings, code and lines that only lead to a list say nothing.
        judge: Name of the model that has judged; empty: none has, and only what the sources say word for word counts.
    """

    statements: tuple[CheckedStatement, ...]
    judge: str
