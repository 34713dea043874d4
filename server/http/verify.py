"""The route that checks a text by anybody."""

from contextlib import aclosing

from fastapi import APIRouter, Request

from kb.errors import InvalidRequest
from kb.values.answers import Verification
from kb.values.filters import EVERYTHING
from server.http import schemas
from server.http.dependencies import Knowledge, Working, errors
from server.http.streaming import iterate
from server.http.threads import in_thread

router = APIRouter()


@router.post(
    "/verify",
    summary="Check a text",
    responses=errors(
        _400="The text is empty, or the filters make no sense.",
        _413="The text is too long.",
        _429="Too many questions wait.",
        _503="A model is not ready.",
    ),
)
async def verify(
    body: schemas.VerifyRequest, request: Request, knowledge_base: Knowledge, threads: Working
) -> schemas.Verification:
    """Holds each statement of a text against the documents, or against given sources, and says what came of it.

    The text may be a draft, or what another model has answered. Each statement takes about a second.
    """
    filters = body.filters.to_core() if body.filters else EVERYTHING
    start = lambda: knowledge_base.verify_stream(body.text, body.question, body.sources, filters)  # noqa: E731
    events = await in_thread(threads.questions, start)
    async with aclosing(iterate(events, request.app.state.stopping, threads.questions)) as stepping:
        async for event in stepping:
            if isinstance(event, Verification):
                return schemas.Verification.model_validate(event)
            if await request.is_disconnected():
                break
    raise InvalidRequest("the client went away")
