"""The routes: each asks `KnowledgeBase` or `Pipeline`, and writes what it gets as JSON."""

import time
from collections.abc import Generator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from kb.errors import InvalidRequest, KBError
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import Answer, AnswerEvent, AskOptions, Done
from kb.values.chat import Turn
from kb.values.filters import EVERYTHING, Filters
from server.http import schemas
from server.http.dependencies import Knowledge, Watching, Working
from server.http.dependencies import errors as _errors
from server.http.events import StatusFeed
from server.http.state import read_stretch, report_documents, report_status, report_sync
from server.http.streaming import connected, event_stream, iterate, sse, wants_stream
from server.http.threads import in_thread

SYNC_POLL_SECONDS = 0.05

MAX_OFFSET = 2**31 - 1


_STREAM = """\
With `stream: true` or `Accept: text/event-stream`, server-sent events, each with a JSON object as its data:

- `passages`: what was found; once, before any generation.
- `waiting`: how many questions the model answers before this one; whenever that changes.
- `step`: what is being done now, where an answer takes several steps: which part of the question is looked up, which
  section is read.
- `reasoning`: some more of what the model thinks before it answers.
- `answer`: some more of the answer.
- `citation`: a place that a sentence which has just ended is held against; a sentence may have several. They come again
  with a `probability` when it has been judged: what came before of the same sentence no longer counts.
- `done`: the whole answer, as without a stream; the last event.
- `error`: what went wrong; in the place of `done`.

Lines that begin with a colon keep the connection alive.
"""

_STREAM_EXAMPLE = """\
event: waiting
data: {"place":1}

event: waiting
data: {"place":0}

event: answer
data: {"text":"Between 5 °C "}

event: answer
data: {"text":"and 35 °C."}

"""

router = APIRouter()


@router.post(
    "/ask",
    response_model=schemas.Answer,
    summary="Answer a question",
    responses={
        200: {
            "description": "The answer. If the documents hold none, it says so, `answerable` is false, and the passages"
            f" are the nearest ones.\n\n{_STREAM}",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _STREAM_EXAMPLE}},
        },
        **_errors(
            _400="The filters make no sense.",
            _413="The question is too long.",
            _429="Too many questions wait.",
            _503="A model is not ready.",
        ),
    },
)
async def ask(body: schemas.AskRequest, request: Request, knowledge_base: Knowledge, threads: Working) -> Response:
    """Finds passages, lets the model answer from them, and cites for each sentence the places that support it.

    The evidence is weighed first: where the passages do not seem to hold an answer, none is written.
    """
    events = await in_thread(threads.questions, lambda: _start(knowledge_base, body))
    if wants_stream(body.stream, request):
        return event_stream(sse(events, request.app.state.stopping, threads.questions))
    answer = await _whole(events, request)
    return JSONResponse(schemas.Answer.model_validate(answer).model_dump(mode="json"))


@router.post(
    "/prepare",
    status_code=204,
    summary="Prepare for a question that is being written",
    responses=_errors(_400="The filters make no sense.", _413="The question is too long."),
)
async def prepare(body: schemas.PrepareRequest, knowledge_base: Knowledge, threads: Working) -> None:
    """Has the model on this machine read the sources ahead, so that the answer begins sooner.

    For a client to call every half second while a question grows. It comes back at once; no question ever waits for
    what is read ahead, and nothing is kept of it. Where that cannot be done, or `KB_READ_AHEAD` is off, nothing is.
    """
    await in_thread(threads.ahead, lambda: knowledge_base.prepare(body.question, _history(body), _options(body)))


@router.post(
    "/search",
    summary="Find passages",
    responses=_errors(_400="The filters make no sense.", _503="The embedding model is not ready."),
)
async def search(body: schemas.SearchRequest, knowledge_base: Knowledge, threads: Working) -> schemas.SearchResponse:
    """Finds the passages that `/ask` would answer from, and nothing more."""
    passages = await in_thread(threads.questions, lambda: knowledge_base.search(body.query, body.top_k, _filters(body)))
    return schemas.SearchResponse.model_validate({"passages": passages})


@router.get("/documents", summary="List documents", responses=_errors(_400="No page begins at the cursor."))
def list_documents(
    knowledge_base: Knowledge,
    pipeline: Watching,
    limit: Annotated[int | None, Query(ge=1, le=1000, description="Documents of a page; none: all.")] = None,
    cursor: Annotated[str | None, Query(max_length=20_000, description="`next` of the page before.")] = None,
) -> schemas.DocumentList:
    """The files of the watched folders: indexed, waiting, and failed with the reason."""
    return report_documents(knowledge_base, pipeline, limit, cursor)


@router.get(
    "/documents/{document_id}", summary="Read a stretch of a document", responses=_errors(_404="No such document.")
)
def read_document(
    document_id: str,
    knowledge_base: Knowledge,
    start: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="First character.")] = 0,
    end: Annotated[
        int | None, Query(ge=0, le=MAX_OFFSET, description="Character after the last; at most 20,000 at a time.")
    ] = None,
) -> schemas.DocumentText:
    """A document with its text from `start` to `end`; offsets are those of passages and citations."""
    return read_stretch(knowledge_base, document_id, start, end)


@router.delete("/documents/{document_id}", summary="Forget a document", responses=_errors(_404="No such document."))
async def forget(document_id: str, knowledge_base: Knowledge, pipeline: Watching, threads: Working) -> schemas.Message:
    """Removes a document from the index, and wipes its text from the data directory.

    It answers no more at once; its bytes are gone as soon as indexing has a pause. Its file stays where it is and is
    passed over until it changes or is uploaded again.
    """
    document = await in_thread(threads.writes, lambda: knowledge_base.forget(document_id))
    pipeline.request()
    return schemas.Message(
        message=f"{document.file.source} is forgotten: its text is wiped from the data directory,"
        " the file itself is untouched"
    )


@router.get("/status", summary="State of the service")
async def status(knowledge_base: Knowledge, pipeline: Watching, threads: Working) -> schemas.Status:
    """Counts, queue, failures with reasons, last sync, which models are in use, and how much evidence is asked for."""
    return await in_thread(threads.state, lambda: report_status(knowledge_base, pipeline))


@router.get(
    "/events",
    summary="Hear what changes",
    response_class=StreamingResponse,
    responses=_errors(_429="Too many clients listen."),
)
async def events(request: Request) -> StreamingResponse:
    """Server-sent events: `status`, as `GET /status`, at once and when it changes; `documents` when they may have.

    An event `documents` has no data: `GET /documents` has it.
    """
    feed: StatusFeed = request.app.state.feed
    feed.check_room()
    return event_stream(feed.listen())


@router.post("/sync", summary="Bring the index up to date", responses=_errors(_503="Nothing can be indexed now."))
async def sync(
    request: Request,
    knowledge_base: Knowledge,
    pipeline: Watching,
    threads: Working,
    retry: Annotated[
        bool, Query(description="Try files again that failed, though they have not changed; not forgotten ones.")
    ] = False,
) -> schemas.SyncResponse:
    """Looks at the folders now; returns when every file is indexed, or listed as failed with the reason."""
    began = time.monotonic()
    if retry:
        await in_thread(threads.writes, knowledge_base.retry_failures)
    ticket = pipeline.request()
    while not pipeline.is_synced(ticket):  # no thread waits: there are few, and many may ask
        if request.app.state.stopping.is_set():
            raise KBError("the service is being stopped", "start it again")
        if await request.is_disconnected():
            raise InvalidRequest("the client went away")
        await anyio.sleep(SYNC_POLL_SECONDS)
    return await in_thread(threads.state, lambda: report_sync(knowledge_base, began))


@router.post("/reindex", status_code=202, summary="Make the index anew")
async def reindex(pipeline: Watching, threads: Working, body: schemas.ReindexRequest | None = None) -> schemas.Message:
    """Has every file read anew and the vector index made anew, in the background; the old one answers until then."""
    await in_thread(threads.writes, lambda: pipeline.reindex(embed=body is not None and body.embed))
    return schemas.Message(message="everything is being read anew; GET /status shows how far it is")


@router.get("/healthz", summary="Liveness")
async def healthz() -> schemas.Message:
    """200 for as long as the process serves requests."""
    return schemas.Message(message="ok")


@router.get("/readyz", summary="Readiness", responses=_errors(_503="Not yet."))
async def readyz(knowledge_base: Knowledge, pipeline: Watching, threads: Working) -> JSONResponse:
    """200 once questions can be answered."""
    state = await in_thread(threads.state, lambda: report_status(knowledge_base, pipeline))
    models: Mapping[str, schemas.Model] = {"embedding": state.models.embedding, "answering": state.models.answer}
    waiting = ", ".join(f"{name} model: {model.state}" for name, model in models.items() if model.state != "ready")
    if waiting:
        error = schemas.Error(code="not_ready", message=waiting, hint="GET /status tells more")
        return JSONResponse(schemas.ErrorResponse(error=error).model_dump(), 503)
    return JSONResponse({"message": "ready"})


def _start(knowledge_base: KnowledgeBase, body: schemas.AskRequest) -> Generator[AnswerEvent, None, None]:
    options = replace(_options(body), kind=body.kind, routing=body.model, effort=body.effort)
    return knowledge_base.ask_stream(body.question, _history(body), options)


def _history(body: schemas.PrepareRequest) -> list[Turn]:
    return [Turn(turn.question, turn.answer) for turn in body.history]


def _options(body: schemas.PrepareRequest) -> AskOptions:
    return AskOptions(thinking=body.thinking, top_k=body.top_k, filters=_filters(body))


def _filters(body: schemas.PrepareRequest | schemas.SearchRequest) -> Filters:
    return body.filters.to_core() if body.filters else EVERYTHING


async def _whole(events: Generator[AnswerEvent, None, None], request: Request) -> Answer:
    state = request.app.state
    stepping = iterate(events, state.stopping, state.threads.questions)
    async with aclosing(connected(stepping, request)) as answering:
        async for event in answering:
            if isinstance(event, Done):
                return event.answer
    raise KBError("the answer was cut off", "ask again")
