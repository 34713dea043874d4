"""What the tools give back: values for programs, the same as text for models, and links to the documents. Pure."""

from collections.abc import Iterable

import mcp_types as protocol
from pydantic import BaseModel, Field

from server.http import schemas

URI = "kb://documents/{document_id}"
"""Address of a document's text as a resource."""


class Reply(BaseModel):
    """An answer with its sources."""

    answer: str = Field(description="The answer; or a remark that there is none.")
    answerable: bool = Field(description="False: the documents hold no answer.")
    citations: list[schemas.Citation] = Field(description="Verbatim quotes, in the order of the answer.")
    unanswered: list[str] = Field(description="Parts of the question that have no source.")
    disagreement: list[schemas.StatedValue] = Field(
        description="What documents state in the place of each other, newest first; the answer says each."
    )
    model: str = Field(description="Which model answered; empty if none did.")


def reply(answer: schemas.Answer) -> protocol.CallToolResult:
    """What `ask` gives back."""
    value = Reply(
        answer=answer.answer,
        answerable=answer.answerable,
        citations=answer.citations,
        unanswered=answer.unanswered,
        disagreement=answer.disagreement,
        model=answer.model,
    )
    quotes = [
        f"[{one.number}] {_place(one)}: “{one.quote}”{'' if one.verified else ' (not confirmed)'}"
        for one in answer.citations
    ]
    return _result(value, "\n".join([answer.answer, *quotes]), answer.citations)


def verification(text: str, found: schemas.Verification, *, of_documents: bool) -> protocol.CallToolResult:
    """What `verify` gives back.

    Args:
        of_documents: Whether the quotes are of documents; else of given sources, which have no address.
    """
    lines = []
    for statement in found.statements:
        lines.append(f"{statement.verdict.replace('_', ' ')}: {text[statement.start : statement.end]}")
        lines += [f"    {_place(one)}: “{one.quote}”" for one in statement.citations]
    cited = [one for statement in found.statements for one in statement.citations]
    return _result(found, "\n".join(lines) or "The text states nothing.", cited if of_documents else [])


def passages(found: schemas.SearchResponse) -> protocol.CallToolResult:
    """What `search` gives back."""
    texts = [
        f"[{one.number}] {_place(one)} ({one.start}…{one.end}, document {one.document_id})\n{one.text}"
        for one in found.passages
    ]
    return _result(found, "\n\n".join(texts) or "Nothing is found.", found.passages)


def stretch(document: schemas.DocumentText) -> protocol.CallToolResult:
    """What `read` gives back."""
    head = f"{document.title} ({document.source}), {document.start}…{document.end} of {document.text_chars}:"
    return _result(document, f"{head}\n\n{document.text}", [])


def listing(documents: schemas.DocumentList) -> protocol.CallToolResult:
    """What `list_documents` gives back."""
    lines = [f"{one.id}  {one.source}  {one.title}" for one in documents.documents]
    lines.append(f"{len(documents.documents)} of {documents.total} documents")
    if documents.next:
        lines.append(f"more with cursor {documents.next}")
    return _result(documents, "\n".join(lines), [])


def _result(
    value: BaseModel, text: str, places: Iterable[schemas.Citation | schemas.Passage]
) -> protocol.CallToolResult:
    named = {URI.format(document_id=place.document_id): place for place in places}
    links = [
        protocol.ResourceLink(uri=uri, name=place.source, title=place.title, mime_type="text/plain")
        for uri, place in named.items()
    ]
    content: list[protocol.ContentBlock] = [protocol.TextContent(text=text), *links]
    return protocol.CallToolResult(content=content, structured_content=value.model_dump(mode="json"))


def _place(place: schemas.Citation | schemas.Passage) -> str:
    page = f"p. {place.page}" if place.page else ""
    return " · ".join(filter(None, [place.source, page, place.heading, "read by OCR" if place.by_ocr else ""]))
