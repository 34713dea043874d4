"""The files of the watched folders: indexed, waiting, failed, uploaded."""

import datetime
from pathlib import Path

from pydantic import Field

from ingest.formats.registry import view
from ingest.formats.showing import View
from kb.values import documents as types
from kb.values.documents import FailureKind
from server.http.schemas.base import EXAMPLE_ID, Wire, file_url


class Document(Wire):
    """An indexed document."""

    id: str = Field(description="Stable over renames and edits.", examples=[EXAMPLE_ID])
    title: str = Field(description="Its own title, or the file's name.", examples=["Pika P3 field manual"])
    root: str = Field(description="Watched folder.", examples=["/home/ada/papers"])
    source: str = Field(description="Path below it.", examples=["manuals/pika-p3.pdf"])
    media_type: str = Field(description="What was read.", examples=["application/pdf"])
    tags: list[str] = Field(description="From the front matter.", examples=[["field"]])
    date: datetime.date | None = Field(description="From the document itself.", examples=["2026-03-01"])
    page_count: int | None = Field(description="Null in formats without pages.", examples=[6])
    unread_pages: list[int] = Field(
        description="Pages, from 1, that show something but have no text that can be read, such as scans.",
        examples=[[2]],
    )
    ocr_pages: list[int] = Field(
        default=[], description="Pages, from 1, whose text was read in their picture.", examples=[[3]]
    )
    unmapped_chars: int = Field(
        default=0, description="Characters that it shows without saying which they are.", examples=[0]
    )
    view: View = Field(
        description="As what it is shown: `pages` drawn, `markdown` rendered, or `text` alone.", examples=["pages"]
    )
    chunk_count: int = Field(description="Pieces that are found as one.", examples=[31])
    text_chars: int = Field(description="Length of the text.", examples=[14210])
    size_bytes: int = Field(description="Length of the file.", examples=[88120])
    modified: datetime.datetime = Field(description="Of the file.", examples=["2026-11-20T18:02:11Z"])
    indexed_at: datetime.datetime = Field(description="When it was read.", examples=["2026-11-20T18:02:14Z"])
    url: str = Field(description="The original file.", examples=[f"/documents/{EXAMPLE_ID}/file"])

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
        "view": view(Path(file.source)),
        "size_bytes": file.size_bytes,
        "modified": datetime.datetime.fromtimestamp(file.modified_ns / 1e9, datetime.UTC),
        "url": file_url(document.id),
    }


class Failure(Wire):
    """A file that is not indexed."""

    root: str = Field(description="Watched folder.", examples=["/home/ada/papers"])
    source: str = Field(description="Path below it.", examples=["manuals/pika-p3.pdf"])
    reason: str = Field(description="In plain words.", examples=["encrypted: it needs a password"])
    hint: str = Field(description="What to do.", examples=["save a copy without password"])
    attempts: int = Field(description="How often this version of the file was tried.", examples=[1])
    failed_at: datetime.datetime = Field(description="The last time.", examples=["2026-11-23T09:30:00Z"])
    kind: FailureKind = Field(
        description="`unreadable`; `quarantined`: it ended its reader each time it was tried; `forgotten`: the user"
        " wanted it out of the index, which is no error and not counted as one.",
        examples=["unreadable"],
    )
    next_try_at: datetime.datetime | None = Field(
        description="When it is tried again by itself; null: not before it changes or `POST /sync?retry=true`.",
        examples=["2026-11-23T09:31:00Z"],
    )

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
            kind=failure.kind,
            next_try_at=failure.next_try_at,
        )


class DocumentList(Wire):
    """The files of the watched folders, or a page of them: indexed, waiting, and failed."""

    documents: list[Document] = Field(description="Indexed, by folder and path.")
    failures: list[Failure] = Field(
        description="Not indexed, with the reason; forgotten ones too. All stand on the first page."
    )
    pending: list[str] = Field(
        description="Paths of files that wait, the one in work first. All stand on the first page."
    )
    total: int = Field(default=0, description="How many documents there are on all pages.", examples=[12])
    next: str | None = Field(default=None, description="The `cursor` of the next page; null: this is the last one.")


class Uploaded(Wire):
    """A file that was put into the watched folder."""

    root: str = Field(description="Watched folder.", examples=["/home/ada/papers"])
    source: str = Field(
        description="Path below it; has a number if the name was taken.", examples=["manuals/pika-p3.pdf"]
    )
    size_bytes: int = Field(description="Length of the file.", examples=[88120])


class UploadResponse(Wire):
    """What an upload has become; indexing follows."""

    uploaded: list[Uploaded] = Field(description="In the order of the request.")
