"""How the service is: models, folders, queue, progress, errors; and what becomes of what it is told to do."""

from typing import Literal

from pydantic import ConfigDict, Field

from server.http.schemas.answers import IndexCounts
from server.http.schemas.base import Wire
from server.http.schemas.documents import Document, Failure


class Error(Wire):
    """What went wrong, and what to do."""

    code: str = Field(description="Stable name for scripts.", examples=["no_model"])
    message: str = Field(
        description="What failed.", examples=["the answering model is not ready yet: downloading, 43 %"]
    )
    hint: str = Field(description="What to do next.", examples=["wait for it; `kb status` shows how far it is"])


class ErrorResponse(Wire):
    """The body of every response that is no success."""

    error: Error = Field(description="What went wrong.")


class Progress(Wire):
    """How far a download is, or the making of a new index."""

    label: str = Field(description="What is being fetched or made.", examples=["deepseek-r1-distill-qwen-1.5b"])
    done: int = Field(description="So far.", examples=[480_000_000])
    total: int | None = Field(description="Null while it is not known.", examples=[1_117_320_768])
    unit: str = Field(description="Of the two numbers.", examples=["bytes"])


class Work(Wire):
    """How far a run of indexing is, which lasts from the first file that waits until none does."""

    files_done: int = Field(description="Indexed, or recorded as failed.", examples=[120])
    files_total: int = Field(description="Those, and all that wait.", examples=[900])
    chunks_done: int = Field(description="Pieces that are found as one.", examples=[1460])
    files_per_second: float = Field(description="Mean of the run.", examples=[1.2])
    chunks_per_second: float = Field(description="Mean of the run.", examples=[14.3])
    seconds_left: float | None = Field(description="An estimate; null before the first file is done.", examples=[310.0])


class Model(Wire):
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
    device: str | None = Field(description="`cpu`, `gpu` or `remote`; null before it is loaded.", examples=["cpu"])
    host: str | None = Field(
        default=None,
        description="The other machine that sees questions and passages; null: none does.",
        examples=[None],
    )
    progress: Progress | None = Field(description="Of its download; null without.")
    error: Error | None = Field(description="Why it is not there; null without.")


class Judge(Wire):
    """Whether what the model writes is judged."""

    state: Literal["ready", "uncalibrated", "calibrating", "unable"] = Field(
        description="`uncalibrated` or `calibrating`: only what the sources say word for word counts as verified, and"
        " the search alone decides what is answered, until a new model has been tried out; `unable`: it has turned out"
        " to be no judge.",
        examples=["ready"],
    )
    progress: Progress | None = Field(default=None, description="Of the calibration; null without.")
    note: str = Field(
        default="",
        description="Who judges, or why the judge that is set does not; empty: the answering model judges itself.",
        examples=[""],
    )


class Models(Wire):
    """All models."""

    answer: Model = Field(description="Answers questions.")
    small: Model | None = Field(
        default=None, description="Answers what is plain, and what must stay here; null: none is set."
    )
    embedding: Model = Field(description="Finds passages.")
    reranker: Model | None = Field(
        default=None, description="Puts in order what is found; null: none is set. Searches go on without it."
    )


class Folder(Wire):
    """A watched folder."""

    path: str = Field(description="Absolute.", examples=["/home/ada/papers"])
    reachable: bool = Field(description="Whether it could be read at the last look.", examples=[True])


class IndexStatus(IndexCounts):
    """The index now."""

    current: str | None = Field(description="The file in work.", examples=["manuals/pika-p3.pdf"])
    scanning: str | None = Field(
        default=None, description="The file of which a page is being read in its picture (OCR).", examples=["tax.pdf"]
    )
    pages_to_scan: int = Field(default=0, description="How many pages wait to be read so.", examples=[12])
    degraded: bool = Field(
        description="Whether the system sends no file events, so that changes are seen later.", examples=[False]
    )
    error: Error | None = Field(description="What keeps all files from being indexed.")
    work: Work | None = Field(description="How far indexing is; null when nothing waits.")
    building: Progress | None = Field(
        description="How far a new vector index is, which is made beside the one that answers; null when none is."
    )


class Status(Wire):
    """The state of the service."""

    version: str = Field(description="Of r1-kb.", examples=["0.2.0"])
    ready: bool = Field(description="Whether questions can be answered.", examples=[True])
    documents: int = Field(description="How many are indexed.", examples=[12])
    chunks: int = Field(description="How many pieces they have.", examples=[118])
    folders: list[Folder] = Field(description="All watched folders.")
    index: IndexStatus = Field(description="The index now.")
    failures: list[Failure] = Field(description="Files that are not indexed, with the reason; forgotten ones too.")
    partly_read: list[Document] = Field(
        default=[], description="Documents that answer without some of their pages, which have no text."
    )
    unsupported: dict[str, int] = Field(
        description="Files of types that cannot be read: how many, by extension, which is empty where there is none.",
        examples=[{".docx": 12, ".png": 3}],
    )
    models: Models = Field(description="All models.")
    judge: Judge | None = Field(
        default=None, description="Whether what the answering model writes is judged; null: not known."
    )
    min_evidence: float | None = Field(
        default=None, description="Answers with less `evidence` are not given; null: not known.", examples=[0.5]
    )


class SyncResponse(Wire):
    """The index equals the folders."""

    documents: int = Field(description="How many are indexed.", examples=[12])
    chunks: int = Field(description="How many pieces they have.", examples=[118])
    failed: int = Field(description="How many files could not be indexed.", examples=[0])
    seconds: float = Field(description="How long that took.", examples=[1.4])


class ReindexRequest(Wire):
    """A new index from the same files."""

    model_config = ConfigDict(extra="forbid")

    embed: bool = Field(
        default=False, description="Whether embeddings are computed anew, too, which takes longest.", examples=[False]
    )


class Message(Wire):
    """A result in words."""

    message: str = Field(description="For a person.", examples=["ok"])
