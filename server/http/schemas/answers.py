"""Passages and answers, and the events of a streamed answer."""

import datetime

from pydantic import AliasChoices, AliasPath, Field, computed_field

from kb.values.answers import FinishReason, QuestionKind, StepName, Verdict
from kb.values.personal import PersonalKind
from server.http.schemas.base import EXAMPLE_ID, Wire, file_url


class _Place(Wire):
    document_id: str = Field(description="Id for `/documents/{id}`.", examples=[EXAMPLE_ID])
    title: str = Field(description="Title of the document.", examples=["Pika P3 field manual"])
    source: str = Field(description="Path below the watched folder.", examples=["manuals/pika-p3.pdf"])
    page: int | None = Field(description="Page, from 1; null in formats without pages.", examples=[4])
    page_label: str = Field(
        default="",
        description="What is printed on the page in the place of its number; empty where that is its number.",
        examples=["iv"],
    )
    by_ocr: bool = Field(
        default=False, description="Whether it was read in a picture of the page, and may be misread.", examples=[False]
    )
    heading: str = Field(description="Headings of the section, outermost first.", examples=["Care › Battery"])
    start: int = Field(description="First character in the document's text.", examples=[5120])
    end: int = Field(description="Character after the last.", examples=[5208])

    @computed_field(description="The original file, at the page.", examples=[f"/documents/{EXAMPLE_ID}/file#page=4"])  # type: ignore[prop-decorator]
    @property
    def url(self) -> str:
        """The original file, at the page."""
        return file_url(self.document_id, self.page)


class Passage(_Place):
    """A stretch of a document that was found for a question."""

    number: int = Field(description="Rank, from 1.", examples=[1])
    text: str = Field(description="The stretch, verbatim.", examples=["Charge the battery between 5 °C and 35 °C."])
    score: float = Field(description="Fused score; comparable within one answer only.", examples=[1.02])
    similarity: float | None = Field(
        description="Cosine of question and passage; null if only words matched.", examples=[0.87]
    )
    older_versions: list[str] = Field(
        default=[],
        description="Paths of older versions of the document, such as copies of a sync conflict; they do not answer.",
        examples=[["plan.sync-conflict-20261101-120000-ABCDEFG.md"]],
    )


class Citation(_Place):
    """Where a stretch of the answer is supported."""

    number: int = Field(description="The [n] to show, from 1; equal quotes share it.", examples=[1])
    quote: str = Field(description="Verbatim text of the document at `start…end`.", examples=["Charge it at 5 °C."])
    answer_start: int = Field(description="First character of the supported stretch of the answer.", examples=[0])
    answer_end: int = Field(description="Character after its last; the mark belongs there.", examples=[42])
    verified: bool = Field(description="Whether the verdict is `supported`.", examples=[True])
    score: float = Field(description="How much of its words and numbers the quote holds, 0…1.", examples=[0.91])
    verdict: Verdict = Field(
        default="not_shown",
        description="Whether the quotes bear out the stretch, speak against it, or do not show it.",
        examples=["supported"],
    )
    probability: float | None = Field(
        default=None,
        description="How likely the stretch is borne out, 0…1; null: not judged, or not yet. When it has been, its"
        " citations come again, and those that came before no longer count.",
        examples=[0.94],
    )


class SearchResponse(Wire):
    """What a search found."""

    passages: list[Passage] = Field(description="Best first.")


class Timings(Wire):
    """Milliseconds since the question arrived, and tokens."""

    retrieve_ms: float = Field(description="Passages were found.", examples=[38.0])
    prompt_ms: float = Field(description="The model had read the prompt.", examples=[5200.0])
    first_reasoning_ms: float | None = Field(description="Reasoning began; null without.", examples=[5210.0])
    first_answer_ms: float | None = Field(description="The answer began; null without.", examples=[9100.0])
    total_ms: float = Field(description="Everything was done.", examples=[12000.0])
    prompt_tokens: int = Field(description="Length of the prompt.", examples=[620])
    reused_tokens: int = Field(
        default=0, description="How much of the prompt was known from before, and not read anew.", examples=[180]
    )
    reasoning_tokens: int = Field(description="Length of the reasoning.", examples=[96])
    answer_tokens: int = Field(description="Length of the answer.", examples=[24])


class IndexCounts(Wire):
    """How current an index is."""

    pending: int = Field(description="Files that wait to be indexed.", examples=[0])
    failed: int = Field(description="Files that could not be indexed; `/status` has the reasons.", examples=[0])
    last_sync: datetime.datetime | None = Field(
        description="When index and folders last agreed.", examples=["2026-11-23T09:30:00Z"]
    )


class Index(IndexCounts):
    """How current the index was when the question was answered."""

    refreshed: list[str] = Field(
        default=[],
        description="Sources that had changed, moved or gone; the index has followed for this answer.",
        examples=[["notes/dome.md"]],
    )
    stale: list[str] = Field(
        default=[],
        description="Sources that have changed or gone, too late to follow; they were left out.",
        examples=[[]],
    )


class LeftOut(Wire):
    """What the model did not see: there was no room for it in the prompt, or it was kept back."""

    turns: int = Field(default=0, description="How many of the earlier turns.", examples=[0])
    passages: list[int] = Field(
        default=[], description="Numbers of the passages of which the model saw nothing.", examples=[[4]]
    )
    kept_here: int = Field(
        default=0,
        description="How many passages were kept from a model elsewhere; they are not among those of the answer.",
        examples=[0],
    )
    instructions: int = Field(
        default=0,
        description="How many sentences of the passages were kept back, because they speak to the one who answers.",
        examples=[0],
    )


class ListedDocument(Wire):
    """A document that an inventory has found."""

    id: str = Field(description="Id for `/documents/{id}`.", examples=[EXAMPLE_ID])
    title: str = Field(description="Title of the document.", examples=["Pika P3 field manual"])
    source: str = Field(
        validation_alias=AliasChoices("source", AliasPath("file", "source")),
        description="Path below the watched folder.",
        examples=["manuals/pika-p3.pdf"],
    )

    @computed_field(description="The original file.", examples=[f"/documents/{EXAMPLE_ID}/file"])  # type: ignore[prop-decorator]
    @property
    def url(self) -> str:
        """Where the original file is."""
        return file_url(self.id)


class StatedValue(Wire):
    """What one of several documents that disagree states."""

    value: str = Field(description="As it is written there.", examples=["0.7"])
    document_id: str = Field(description="Id for `/documents/{id}`.", examples=[EXAMPLE_ID])
    title: str = Field(description="Title of the document.", examples=["Pika P3 field manual"])
    source: str = Field(description="Path below the watched folder.", examples=["manuals/pika-p3.pdf"])
    day: str = Field(description="Date of the document, else of its file.", examples=["2026-03-01"])


class PersonalData(Wire):
    """A stretch of an answer that is personal data."""

    kind: PersonalKind = Field(description="What it is.", examples=["phone"])
    start: int = Field(description="First character in the answer.", examples=[24])
    end: int = Field(description="Character after the last.", examples=[35])


class Answer(Wire):
    """A whole answer."""

    answer: str = Field(
        description="The answer alone; or a remark that there is none.", examples=["Between 5 °C and 35 °C."]
    )
    reasoning: str = Field(description="What the model thought before; never part of the answer.", examples=[""])
    citations: list[Citation] = Field(description="In the order of the answer; a sentence may have several.")
    passages: list[Passage] = Field(description="What was found, best first.")
    answerable: bool = Field(description="False: the documents hold no answer.", examples=[True])
    model: str = Field(
        description="Which model was asked; empty if none was.", examples=["deepseek-r1-distill-qwen-1.5b"]
    )
    finish_reason: FinishReason = Field(description="Why it ended.", examples=["stop"])
    timings: Timings = Field(description="Where the time went.")
    index: Index = Field(description="How current the index was.")
    evidence: float = Field(
        default=0.0,
        description="How likely the passages hold an answer, 0…1; of several parts of the question, to the likeliest."
        " Below the setting `min_evidence`, which `/status` tells, none is given.",
        examples=[0.97],
    )
    unanswered: list[str] = Field(
        default=[],
        description="Parts of the question without a source, though others have one; a remark at the end of the answer"
        " names them.",
        examples=[["Who made the battery?"]],
    )
    left_out: LeftOut = Field(default=LeftOut(), description="What the model did not see.")
    draft: str = Field(
        default="",
        description="What the model wrote where the passages do not bear it out: `finish_reason` is `unsupported` then,"
        " and the citations are about the draft.",
        examples=[""],
    )
    instead: str = Field(
        default="",
        description="Why the small model has answered in the place of the large one; empty: it has not.",
        examples=[""],
    )
    kind: QuestionKind = Field(
        default="lookup",
        description="What kind of question it is: `lookup` of a fact, several `parts` put together, about a whole"
        " `document`, `exhaustive` for all of something, or an `inventory` of the documents.",
        examples=["lookup"],
    )
    documents: list[ListedDocument] = Field(
        default=[], description="The documents that the answer to an inventory names, newest first."
    )
    disagreement: list[StatedValue] = Field(
        default=[],
        description="What documents state in the place of each other, newest first; the answer says and cites each.",
    )
    personal: list[PersonalData] = Field(
        default=[],
        description="Personal data in the answer that has a form, where the setting `pii` asks for it; names of people"
        " are not found.",
    )


class PassagesEvent(Wire):
    """Event `passages`: what was found, once, before any generation."""

    passages: list[Passage] = Field(description="Best first.")


class WaitingEvent(Wire):
    """Event `waiting`: the place in the queue has changed."""

    place: int = Field(
        description="How many questions the model answers before this one; 0: it is being worked on.", examples=[2]
    )


class StepEvent(Wire):
    """Event `step`: what is being done now, where an answer takes several steps."""

    doing: StepName = Field(
        description="The `words` are looked for under which the answer may stand, or `numbers` to compute with, or what"
        " was read is followed to where it leads (`leads`); a `part` of the question is looked up, a `section` or a"
        " `passage` is read, or all is put together (`compose`).",
        examples=["part"],
    )
    number: int = Field(description="Which of them, from 1.", examples=[2])
    of: int = Field(description="How many there are; 0: not known yet.", examples=[3])
    about: str = Field(
        description="The part of the question, or the place; may be empty.", examples=["What does A cost?"]
    )


class ReasoningEvent(Wire):
    """Event `reasoning`: some more of what the model thinks."""

    text: str = Field(description="To be added to what came before.", examples=["The manual says "])


class AnswerEvent(Wire):
    """Event `answer`: some more of the answer."""

    text: str = Field(description="To be added to what came before.", examples=["Between 5 °C "])
