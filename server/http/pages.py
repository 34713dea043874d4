"""The routes by which a document is seen: its pages as pictures, the places of its text on them, and finding in it."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ingest.formats.page_view import Glyphs
from ingest.formats.registry import view
from ingest.formats.showing import View
from ingest.pages.places import lines_of, within
from ingest.pages.scans import glyphs_of
from ingest.pages.views import PageViews
from ingest.pipeline.pipeline import Pipeline
from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.documents import DocumentInfo, PageSpan
from server.http import schemas
from server.http.dependencies import Knowledge, Watching, Working, errors
from server.http.linking import addresses
from server.http.rendering import render
from server.http.threads import in_thread

MIN_WIDTH_PIXELS, MAX_WIDTH_PIXELS = 40, 3000
MAX_OFFSET = 2**31 - 1
MAX_MATCHES = 500
_AROUND_CHARS = 60
_GONE = "No such document or page, or its file is gone or cannot be drawn."

router = APIRouter()


async def _views(request: Request) -> PageViews:
    views: PageViews = request.app.state.page_views
    return views


Views = Annotated[PageViews, Depends(_views)]


@router.get("/documents/{document_id}/pages", summary="List the pages of a document", responses=errors(_404=_GONE))
async def list_pages(
    document_id: str, knowledge_base: Knowledge, pipeline: Watching, views: Views, threads: Working
) -> schemas.PageList:
    """The size of each page as it is shown, what is printed on it in the place of its number, and its text."""

    def listed() -> schemas.PageList:
        document = _seen(document_id, knowledge_base, pipeline)
        spans = {span.page: span for span in knowledge_base.pages(document_id)}
        pages = [
            schemas.Page.of(number, size, spans.get(number))
            for number, size in enumerate(views.sizes(document.file), 1)
        ]
        return schemas.PageList(pages=pages, changed=views.has_changed(document.file))

    return await in_thread(threads.pages, listed)


@router.get(
    "/documents/{document_id}/pages/{page}",
    summary="Draw a page",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {"description": "It is as it was."}, **errors(_404=_GONE)},
)
async def draw_page(
    document_id: str,
    page: int,
    request: Request,
    knowledge_base: Knowledge,
    pipeline: Watching,
    views: Views,
    threads: Working,
    width: Annotated[
        int, Query(ge=MIN_WIDTH_PIXELS, le=MAX_WIDTH_PIXELS, description="Of the picture, in pixels.")
    ] = 1200,
) -> Response:
    """The page as it is in the file now, turned as it is to be read, with the values of its fields."""

    def drawn() -> Response:
        picture = views.picture(_seen(document_id, knowledge_base, pipeline).file, page, width)
        headers = {"etag": f'"{picture.tag}"', "cache-control": "private, no-cache"}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    return await in_thread(threads.pages, drawn)


@router.get(
    "/documents/{document_id}/pages/{page}/boxes",
    summary="Find a stretch of the text on a page",
    responses=errors(_404=_GONE),
)
async def find_boxes(
    document_id: str,
    page: int,
    knowledge_base: Knowledge,
    pipeline: Watching,
    views: Views,
    threads: Working,
    start: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="First character, as in citations.")],
    end: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Character after the last.")],
) -> schemas.PageBoxes:
    """Where on a page a stretch of the document's text stands; what of it is on other pages has no boxes here."""

    def found() -> schemas.PageBoxes:
        document = _seen(document_id, knowledge_base, pipeline)
        glyphs = _glyphs(document, page, knowledge_base, views)
        first, last = _stretch(knowledge_base.pages(document_id), page, document.text_chars)
        text = knowledge_base.text(document_id, first, last)
        boxes = views.boxes(glyphs, text, max(0, start - first), max(0, min(end, last) - first))
        return schemas.PageBoxes(boxes=within(boxes, glyphs), changed=views.has_changed(document.file))

    return await in_thread(threads.pages, found)


@router.get(
    "/documents/{document_id}/pages/{page}/text", summary="Read a page line by line", responses=errors(_404=_GONE)
)
async def read_page(
    document_id: str, page: int, knowledge_base: Knowledge, pipeline: Watching, views: Views, threads: Working
) -> schemas.PageLines:
    """The lines of a page as they are drawn, each with its box, to be laid over the picture and copied."""

    def read() -> schemas.PageLines:
        glyphs = _glyphs(_seen(document_id, knowledge_base, pipeline), page, knowledge_base, views)
        lines = list(lines_of(glyphs))
        boxes = within([line.box for line in lines], glyphs)
        return schemas.PageLines(
            lines=[schemas.PageLine(text=line.text, box=box) for line, box in zip(lines, boxes, strict=True)]
        )

    return await in_thread(threads.pages, read)


@router.get(
    "/documents/{document_id}/markdown",
    summary="Render a document",
    responses=errors(_404="No such document, or its text is no Markdown."),
)
async def render_document(
    document_id: str,
    knowledge_base: Knowledge,
    threads: Working,
    start: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="First character of what is marked.")] = 0,
    end: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Character after the last.")] = 0,
    at: Annotated[
        int | None, Query(ge=0, le=MAX_OFFSET, description="Around which character, in a long document; none: `start`.")
    ] = None,
) -> schemas.RenderedText:
    """The text of a Markdown file, or of what was converted to Markdown, as HTML that is safe to show."""

    def rendered() -> schemas.RenderedText:
        document = knowledge_base.document(document_id)
        if view(Path(document.file.source)) is not View.MARKDOWN:
            raise NotFound(f"the text of {document.file.source} is no Markdown", "GET /documents/{id} has it as it is")
        leading = addresses(knowledge_base, knowledge_base.outgoing_links(document_id))
        part = render(knowledge_base.text(document_id), start, end, at, leading)
        return schemas.RenderedText(html=part.html, start=part.start, end=part.end, text_chars=document.text_chars)

    return await in_thread(threads.pages, rendered)


@router.get(
    "/documents/{document_id}/search", summary="Search inside a document", responses=errors(_404="No such document.")
)
async def search_inside(
    document_id: str,
    knowledge_base: Knowledge,
    threads: Working,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Words as they stand there; case is ignored.")],
) -> schemas.Matches:
    """Where a text stands in the document, line ends and spaces aside; at most 500 places."""

    def searched() -> schemas.Matches:
        text, spans = knowledge_base.text(document_id), knowledge_base.pages(document_id)
        pattern = re.compile(r"\s+".join(map(re.escape, q.split())) or re.escape(q), re.IGNORECASE)
        found = [match.span() for match in pattern.finditer(text)]
        return schemas.Matches(
            matches=[_match(text, start, end, spans) for start, end in found[:MAX_MATCHES]], total=len(found)
        )

    return await in_thread(threads.pages, searched)


def _seen(document_id: str, knowledge_base: KnowledgeBase, pipeline: Pipeline) -> DocumentInfo:
    """A document whose pages may be looked at.

    Raises:
        NotFound: There is no such document, or it has no pages to be seen.
    """
    document = knowledge_base.document(document_id)
    if view(Path(document.file.source)) is not View.PAGES:
        raise NotFound(f"{document.file.source} has no pages to be seen", "GET /documents/{id} has its text")
    if Path(document.file.root) not in pipeline.folders:
        raise NotFound(f"the folder of {document.file.source} is not watched any more", "watch it again")
    return document


def _glyphs(document: DocumentInfo, page: int, knowledge_base: KnowledgeBase, views: PageViews) -> Glyphs:
    """The characters of a page: those that the file draws, or that were read in its picture."""
    scan = knowledge_base.scanned_page(document.id, page) if page in document.ocr_pages else None
    return glyphs_of(scan, *views.sizes(document.file)[page - 1]) if scan else views.glyphs(document.file, page)


def _stretch(spans: list[PageSpan], page: int, text_chars: int) -> tuple[int, int]:
    """The stretch of the text that can stand on a page: from the text of the page before to that of the page after."""
    bounds = [PageSpan(0, 0, 0), *spans, PageSpan(MAX_OFFSET, text_chars, text_chars)]
    for before, own in pairwise(bounds):
        if own.page == page:
            after = next(span for span in bounds if span.page > page)
            return before.end, after.start
    return 0, 0


def _match(text: str, start: int, end: int, spans: list[PageSpan]) -> schemas.Match:
    page = next((span.page for span in spans if start < span.end), None)
    return schemas.Match(
        start=start,
        end=end,
        page=page,
        before=text[max(0, start - _AROUND_CHARS) : start],
        text=text[start:end],
        after=text[end : end + _AROUND_CHARS],
    )
