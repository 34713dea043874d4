"""What travels over HTTP: JSON bodies, and the events of a streamed answer. Built from the core's values by name."""

import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, computed_field

from kb import types
from kb.types import FinishReason, Thinking

_ID = "9f2c4e6a81b3d570"


class _Wire(BaseModel):
    model_config = ConfigDict(from_attributes=True)


def _whole(text: str) -> str:
    text.encode()  # JSON can write half a character, "\\ud800", which nothing behind can read
    return text


Text = Annotated[str, AfterValidator(_whole)]


def file_url(document_id: str, page: int | None = None) -> str:
    """Where the original file of a document is, at a page if there is one."""
    return f"/documents/{quote(document_id)}/file" + (f"#page={page}" if page else "")


class _Place(_Wire):
    document_id: str = Field(description="Id for `/documents/{id}`.", examples=[_ID])
    title: str = Field(description="Title of the document.", examples=["Pika P3 field manual"])
    source: str = Field(description="Path below the watched folder.", examples=["manuals/pika-p3.pdf"])
    page: int | None = Field(description="Page, from 1; null in formats without pages.", examples=[4])
    heading: str = Field(description="Headings of the section, outermost first.", examples=["Care › Battery"])
    start: int = Field(description="First character in the document's text.", examples=[5120])
    end: int = Field(description="Character after the last.", examples=[5208])

    @computed_field(description="The original file, at the page.", examples=[f"/documents/{_ID}/file#page=4"])  # type: ignore[prop-decorator]
    @property
    def url(self) -> str:
        """The original file, at the page."""
        return file_url(self.document_id, self.page)


class Passage(_Place):
    """A stretch of a document that was found for a question."""

    number: int = Field(description="Rank, from 1.", examples=[1])
    text: str = Field(description="The stretch, verbatim.", examples=["Charge the battery between 5 °C and 35 °C."])
    score: float = Field(description="Fused score; comparable within one answer only.", examples=[0.0325])
    similarity: float | None = Field(
        description="Cosine of question and passage; null if only words matched.", examples=[0.87]
    )


class Citation(_Place):
    """Where a stretch of the answer is supported."""

    number: int = Field(description="The [n] to show, from 1; equal quotes share it.", examples=[1])
    quote: str = Field(description="Verbatim text of the document at `start…end`.", examples=["Charge it at 5 °C."])
    answer_start: int = Field(description="First character of the supported stretch of the answer.", examples=[0])
    answer_end: int = Field(description="Character after its last; the mark belongs there.", examples=[42])
    verified: bool = Field(description="Whether the quote holds what the stretch says.", examples=[True])
    score: float = Field(description="How much of it the quote holds, 0…1.", examples=[0.91])


class Turn(_Wire):
    """One earlier exchange."""

    question: Text = Field(description="What was asked.", examples=["How is the battery charged?"])
    answer: Text = Field(description="What was answered, without reasoning.", examples=["Between 5 °C and 35 °C."])


class AskRequest(_Wire):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(
        description="In Chinese or English.", examples=["At what temperature may the battery charge?"]
    )
    history: list[Turn] = Field(default=[], max_length=50, description="Earlier turns, oldest first.")
    top_k: int | None = Field(default=None, ge=1, le=50, description="How many passages; null: as set.", examples=[4])
    thinking: Thinking | None = Field(
        default=None, description="How long a reasoning model may think; null: as set.", examples=["short"]
    )
    stream: bool = Field(default=False, description="Server-sent events in place of JSON.", examples=[False])


class SearchRequest(_Wire):
    """A search without an answer."""

    model_config = ConfigDict(extra="forbid")

    query: Text = Field(description="In Chinese or English.", examples=["battery charging temperature"])
    top_k: int | None = Field(default=None, ge=1, le=50, description="How many passages; null: as set.", examples=[4])


class SearchResponse(_Wire):
    """What a search found."""

    passages: list[Passage] = Field(description="Best first.")


class Timings(_Wire):
    """Milliseconds since the question arrived, and tokens."""

    retrieve_ms: float = Field(description="Passages were found.", examples=[38.0])
    prompt_ms: float = Field(description="The model had read the prompt.", examples=[5200.0])
    first_reasoning_ms: float | None = Field(description="Reasoning began; null without.", examples=[5210.0])
    first_answer_ms: float | None = Field(description="The answer began; null without.", examples=[9100.0])
    total_ms: float = Field(description="Everything was done.", examples=[12000.0])
    prompt_tokens: int = Field(description="Length of the prompt.", examples=[620])
    reasoning_tokens: int = Field(description="Length of the reasoning.", examples=[96])
    answer_tokens: int = Field(description="Length of the answer.", examples=[24])


class Index(_Wire):
    """How current the index was."""

    pending: int = Field(description="Files that wait to be indexed.", examples=[0])
    failed: int = Field(description="Files that are not indexed, with a reason in `/status`.", examples=[0])
    last_sync: datetime.datetime | None = Field(
        description="When index and folders last agreed.", examples=["2026-11-23T09:30:00Z"]
    )


class Answer(_Wire):
    """A whole answer."""

    answer: str = Field(description="The answer alone.", examples=["Between 5 °C and 35 °C."])
    reasoning: str = Field(description="What the model thought before; never part of the answer.", examples=[""])
    citations: list[Citation] = Field(description="In the order of the answer.")
    passages: list[Passage] = Field(description="What was found, best first.")
    answerable: bool = Field(description="False: the documents hold no answer.", examples=[True])
    model: str = Field(description="Which model answered.", examples=["deepseek-r1-distill-qwen-1.5b"])
    finish_reason: FinishReason = Field(description="Why it ended.", examples=["stop"])
    timings: Timings = Field(description="Where the time went.")
    index: Index = Field(description="How current the index was.")


class PassagesEvent(_Wire):
    """Event `passages`."""

    passages: list[Passage] = Field(description="Best first.")


class ReasoningEvent(_Wire):
    """Event `reasoning`: some more of it."""

    text: str = Field(description="To be added to what came before.", examples=["The manual says "])


class AnswerEvent(_Wire):
    """Event `answer`: some more of it."""

    text: str = Field(description="To be added to what came before.", examples=["Between 5 °C "])


class Document(_Wire):
    """An indexed document."""

    id: str = Field(description="Stable over renames and edits.", examples=[_ID])
    title: str = Field(description="Its own title, or the file's name.", examples=["Pika P3 field manual"])
    root: str = Field(description="Watched folder.", examples=["/home/ada/papers"])
    source: str = Field(description="Path below it.", examples=["manuals/pika-p3.pdf"])
    media_type: str = Field(description="What was read.", examples=["application/pdf"])
    tags: list[str] = Field(description="From the front matter.", examples=[["field"]])
    date: datetime.date | None = Field(description="From the document itself.", examples=["2026-03-01"])
    page_count: int | None = Field(description="Null in formats without pages.", examples=[6])
    chunk_count: int = Field(description="Pieces that are found as one.", examples=[31])
    text_chars: int = Field(description="Length of the text.", examples=[14210])
    size_bytes: int = Field(description="Length of the file.", examples=[88120])
    modified: datetime.datetime = Field(description="Of the file.", examples=["2026-11-20T18:02:11Z"])
    indexed_at: datetime.datetime = Field(description="When it was read.", examples=["2026-11-20T18:02:14Z"])
    url: str = Field(description="The original file.", examples=[f"/documents/{_ID}/file"])

    @classmethod
    def of(cls, document: types.DocumentInfo) -> "Document":
        """Writes a document for the wire."""
        return cls.model_validate(_document_fields(document))


class DocumentText(Document):
    """A document with a stretch of its text."""

    start: int = Field(description="First character of the stretch.", examples=[0])
    end: int = Field(description="Character after its last.", examples=[500])
    text: str = Field(description="The stretch, verbatim.", examples=["Charge the battery between 5 °C and 35 °C."])

    @classmethod
    def of_span(cls, document: types.DocumentInfo, text: str, start: int) -> "DocumentText":
        """Writes a stretch of a document for the wire."""
        return cls.model_validate(
            {**_document_fields(document), "text": text, "start": start, "end": start + len(text)}
        )


def _document_fields(document: types.DocumentInfo) -> dict[str, object]:
    file = document.file
    return {
        **{name: getattr(document, name) for name in Document.model_fields if hasattr(document, name)},
        "root": file.root,
        "source": file.source,
        "size_bytes": file.size_bytes,
        "modified": datetime.datetime.fromtimestamp(file.modified_ns / 1e9, datetime.UTC),
        "url": file_url(document.id),
    }


class Failure(_Wire):
    """A file that is not indexed."""

    root: str = Field(description="Watched folder.", examples=["/home/ada/papers"])
    source: str = Field(description="Path below it.", examples=["manuals/pika-p3.pdf"])
    reason: str = Field(description="In plain words.", examples=["encrypted: it needs a password"])
    hint: str = Field(description="What to do.", examples=["save a copy without password"])
    attempts: int = Field(description="How often this version of the file was tried.", examples=[1])
    failed_at: datetime.datetime = Field(description="The last time.", examples=["2026-11-23T09:30:00Z"])

    @classmethod
    def of(cls, failure: types.Failure) -> "Failure":
        """Writes a failure for the wire."""
        return cls(
            root=failure.file.root,
            source=failure.file.source,
            reason=failure.reason,
            hint=failure.hint,
            attempts=failure.attempts,
            failed_at=failure.failed_at,
        )


class DocumentList(_Wire):
    """All files of the watched folders: indexed, waiting, and failed."""

    documents: list[Document] = Field(description="Indexed.")
    failures: list[Failure] = Field(description="Not indexed, with the reason.")
    pending: list[str] = Field(description="Paths of files that wait, the one in work first.")


class Uploaded(_Wire):
    """A file that was put into the watched folder."""

    root: str = Field(description="Watched folder.", examples=["/home/ada/papers"])
    source: str = Field(
        description="Path below it; has a number if the name was taken.", examples=["manuals/pika-p3.pdf"]
    )
    size_bytes: int = Field(description="Length of the file.", examples=[88120])


class UploadResponse(_Wire):
    """What an upload has become; indexing follows."""

    uploaded: list[Uploaded] = Field(description="In the order of the request.")


class Error(_Wire):
    """What went wrong, and what to do."""

    code: str = Field(description="Stable name for scripts.", examples=["no_model"])
    message: str = Field(
        description="What failed.", examples=["the answering model is not ready yet: downloading, 43 %"]
    )
    hint: str = Field(description="What to do next.", examples=["wait for it; `kb status` shows how far it is"])


class ErrorResponse(_Wire):
    """The body of every response that is no success."""

    error: Error = Field(description="What went wrong.")


class Progress(_Wire):
    """How far a download is."""

    label: str = Field(description="What is being fetched.", examples=["deepseek-r1-distill-qwen-1.5b"])
    done: int = Field(description="So far.", examples=[480_000_000])
    total: int | None = Field(description="Null while it is not known.", examples=[1_117_320_768])
    unit: str = Field(description="Of the two numbers.", examples=["bytes"])


class Model(_Wire):
    """A model and its state."""

    state: Literal["missing", "downloading", "loading", "ready", "failed"] = Field(
        description="Where it is on its way to use.", examples=["ready"]
    )
    name: str = Field(description="Catalog name, or the file's.", examples=["deepseek-r1-distill-qwen-1.5b"])
    note: str = Field(
        description="Which model this is, and how to get a better one.",
        examples=["DeepSeek-R1-Distill-Qwen-1.5B answers."],
    )
    reasons: bool = Field(description="Whether it thinks before it answers.", examples=[True])
    context_tokens: int | None = Field(
        description="Size of its context window; null before it is loaded.", examples=[4096]
    )
    device: str | None = Field(description="`cpu` or `gpu`; null before it is loaded.", examples=["cpu"])
    progress: Progress | None = Field(description="Of its download; null without.")
    error: Error | None = Field(description="Why it is not there; null without.")


class Models(_Wire):
    """Both models."""

    answer: Model = Field(description="Answers questions.")
    embedding: Model = Field(description="Finds passages.")


class Folder(_Wire):
    """A watched folder."""

    path: str = Field(description="Absolute.", examples=["/home/ada/papers"])
    reachable: bool = Field(description="Whether it could be read at the last look.", examples=[True])


class IndexStatus(Index):
    """The index now."""

    current: str | None = Field(description="The file in work.", examples=["manuals/pika-p3.pdf"])
    degraded: bool = Field(
        description="Whether the system sends no file events, so that changes are seen later.", examples=[False]
    )
    error: Error | None = Field(description="What keeps all files from being indexed.")


class Status(_Wire):
    """The state of the service."""

    version: str = Field(description="Of r1-kb.", examples=["0.1.0"])
    ready: bool = Field(description="Whether questions can be answered.", examples=[True])
    documents: int = Field(description="How many are indexed.", examples=[12])
    chunks: int = Field(description="How many pieces they have.", examples=[118])
    folders: list[Folder] = Field(description="All watched folders.")
    index: IndexStatus = Field(description="The index now.")
    failures: list[Failure] = Field(description="Files that are not indexed, with the reason.")
    models: Models = Field(description="Both models.")


class SyncResponse(_Wire):
    """The index equals the folders."""

    documents: int = Field(description="How many are indexed.", examples=[12])
    chunks: int = Field(description="How many pieces they have.", examples=[118])
    failed: int = Field(description="How many files are not indexed.", examples=[0])
    seconds: float = Field(description="How long that took.", examples=[1.4])


class Message(_Wire):
    """A result in words."""

    message: str = Field(description="For a person.", examples=["ok"])
