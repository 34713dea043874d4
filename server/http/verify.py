"""The route that checks a text by anybody."""

from contextlib import aclosing

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from kb.errors import KBError
from kb.values.answers import Verification
from kb.values.filters import EVERYTHING
from server.http import schemas
from server.http.dependencies import Knowledge, Working, errors
from server.http.streaming import connected, event_stream, iterate, sse, wants_stream
from server.http.threads import in_thread

_STREAM = """\
With `stream: true` or `Accept: text/event-stream`, server-sent events: `waiting`; `statement`, each when it is checked;
`done`, the whole, as without a stream; `error` in the place of `done`.
"""

router = APIRouter()


@router.post(
    "/verify",
    response_model=schemas.Verification,
    summary="Check a text",
    responses={
        200: {
            "description": f"What came of it.\n\n{_STREAM}",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **errors(
            _400="The text is empty, or the filters make no sense.",
            _413="The text is too long.",
            _429="Too many questions wait.",
            _503="A model is not ready.",
        ),
    },
)
async def verify(
    body: schemas.VerifyRequest, request: Request, knowledge_base: Knowledge, threads: Working
) -> Response:
    """Holds each statement of a text against the documents, or against given sources, and says what came of it.

    The text may be a draft, or what another model has answered. Each statement takes about a second.
    """
    filters = body.filters.to_core() if body.filters else EVERYTHING
    start = lambda: knowledge_base.verify_stream(body.text, body.question, body.sources, filters)  # noqa: E731
    events = await in_thread(threads.questions, start)
    if wants_stream(body.stream, request):
        return event_stream(sse(events, request.app.state.stopping, threads.questions))
    stepping = iterate(events, request.app.state.stopping, threads.questions)
    async with aclosing(connected(stepping, request)) as checking:
        async for event in checking:
            if isinstance(event, Verification):
                return JSONResponse(schemas.Verification.model_validate(event).model_dump(mode="json"))
    raise KBError("the check was cut off", "send the text again")
