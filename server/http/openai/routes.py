"""The routes under `/v1`."""

from collections.abc import AsyncGenerator, Generator, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette import responses as http

from kb.errors import InvalidRequest
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, AskOptions, Done, Thinking
from kb.values.chat import Message
from server.http.dependencies import Knowledge, Working, base_url, errors
from server.http.openai import chunks, schemas
from server.http.openai.background import TASK_HEADER, background_task, cheap_reply
from server.http.openai.completion import Completion
from server.http.openai.conversation import plain_messages, question_and_history, wishes_of
from server.http.openai.embedding import embed
from server.http.openai.errors import Route
from server.http.openai.footnotes import wants_footnotes
from server.http.openai.offers import Offer, check_embedding_model, find_offer, offers
from server.http.openai.openwebui import is_open_webui
from server.http.openai.places import Places
from server.http.openai.response_schemas import Response, ResponseRequest
from server.http.openai.responses import ResponseWriter
from server.http.streaming import begun, connected, event_stream, iterate
from server.http.threads import Threads, in_thread
from server.settings import ServerSettings

_THINKING: Mapping[str | None, Thinking | None] = {"none": "off", "minimal": "off", "low": "short", "high": "full"}

_STREAM = """\
With `stream: true`, server-sent events, each with a chunk as its data. The first has the role; then come
`reasoning_content` and `content`, never both in one; the one with a `finish_reason` has the `annotations`; with
`stream_options.include_usage` a last one has the `usage`. `[DONE]` ends the stream; an object `error` in a chunk's
place ends it, too. Lines that begin with a colon keep the connection alive.
"""

router = APIRouter(prefix="/v1", route_class=Route)


@router.get("/models", summary="List what a client of the OpenAI API may choose")
async def list_models(knowledge_base: Knowledge, threads: Working) -> schemas.ModelList:
    """The library, each of its top folders, and the models alone, without documents."""
    offered = await in_thread(threads.state, lambda: offers(knowledge_base))
    return schemas.ModelList(data=[_described(offer, knowledge_base) for offer in offered])


@router.get(
    "/models/{name:path}",
    summary="Describe one of them",
    responses=errors(schemas.ErrorResponse, _404="There is none."),
)
async def describe_model(name: str, knowledge_base: Knowledge, threads: Working) -> schemas.Model:
    """One of `/v1/models`."""
    offer = await in_thread(threads.state, lambda: find_offer(knowledge_base, name))
    return _described(offer, knowledge_base)


@router.post(
    "/chat/completions",
    response_model=schemas.ChatCompletion,
    summary="Answer a question of a client of the OpenAI API",
    responses={
        200: {
            "description": f"The answer.\n\n{_STREAM}",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **errors(
            schemas.ErrorResponse,
            _400="It makes no sense.",
            _404="No such model.",
            _413="The question is too long.",
            _429="Too many questions wait.",
            _503="A model is not ready.",
        ),
    },
)
async def chat_completions(
    body: schemas.ChatRequest, request: Request, knowledge_base: Knowledge, threads: Working
) -> http.Response:
    """Answers the last message of the user from the documents, as `/ask` does, with marks `[1]` where it is cited.

    Earlier turns are its context; what the system says is heeded as a wish for the form of the answer, and reaches the
    model alone as it is. What clients ask in the background, for titles and tags, is answered without a search.
    """
    if body.n not in (None, 1):
        raise InvalidRequest(f"n is {body.n}", "ask for one answer; send the question again for another")
    for_open_webui = body.stream and is_open_webui(request.headers)
    stepping, completion = await _begun(body, request, knowledge_base, threads, for_open_webui=for_open_webui)
    if not body.stream:
        answered = await chunks.whole(connected(stepping, request), completion, body.model)
        return JSONResponse(answered.model_dump(mode="json"))
    include_usage = body.stream_options is not None and body.stream_options.include_usage
    return event_stream(chunks.stream(await begun(stepping), completion, body.model, include_usage=include_usage))


@router.post(
    "/responses",
    response_model=Response,
    summary="Answer a question of a client of the newer OpenAI API",
    responses={
        200: {
            "description": "The answer. With `stream: true`, the events that OpenAI describes, from `response.created`"
            " to `response.completed`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **errors(
            schemas.ErrorResponse,
            _400="It makes no sense.",
            _404="No such model.",
            _413="The question is too long.",
            _429="Too many questions wait.",
            _503="A model is not ready.",
        ),
    },
)
async def responses(
    body: ResponseRequest, request: Request, knowledge_base: Knowledge, threads: Working
) -> http.Response:
    """Answers as `/v1/chat/completions` does. Nothing is kept: earlier turns are sent along."""
    stepping, completion = await _begun(body.to_chat(), request, knowledge_base, threads)
    writer = ResponseWriter(completion, body.model)
    if not body.stream:
        answered = await writer.whole(connected(stepping, request))
        return JSONResponse(answered.model_dump(mode="json"))
    return event_stream(writer.stream(await begun(stepping)))


@router.post(
    "/embeddings",
    summary="Embed texts with the embedding model",
    responses=errors(
        schemas.ErrorResponse,
        _400="A text is empty or too long.",
        _404="It is not the embedding model.",
        _503="The model is not ready.",
    ),
)
async def embeddings(
    body: schemas.EmbeddingRequest, request: Request, knowledge_base: Knowledge, threads: Working
) -> schemas.EmbeddingList:
    """Vectors of length 1, whose dot product says how near two meanings are."""
    check_embedding_model(knowledge_base, body.model)
    return await embed(body, knowledge_base, threads, request)


async def _begun(
    body: schemas.ChatRequest,
    request: Request,
    knowledge_base: KnowledgeBase,
    threads: Threads,
    *,
    for_open_webui: bool = False,
) -> tuple[AsyncGenerator[AnswerEvent, None], Completion]:
    """The events of an answer, and the completion that they are to become."""
    messages = plain_messages(body.messages)
    task = background_task(messages, request.headers.get(TASK_HEADER, ""))
    offer = await in_thread(threads.state, lambda: find_offer(knowledge_base, body.model))
    events = await in_thread(threads.questions, lambda: _events(knowledge_base, offer, body, messages, task))
    settings: ServerSettings = request.app.state.settings
    question = messages[-1].content
    completion = Completion(
        question,
        Places(base_url(request), question),
        stop=body.stop or (),
        for_open_webui=for_open_webui,
        with_footnotes=wants_footnotes(settings.footnotes, request.headers),
    )
    return iterate(events, request.app.state.stopping, threads.questions), completion


def _events(
    knowledge_base: KnowledgeBase, offer: Offer, body: schemas.ChatRequest, messages: list[Message], task: str
) -> Generator[AnswerEvent, None, None]:
    if task and (reply := cheap_reply(task, messages)) is not None:
        return _said(reply)
    limit = body.max_completion_tokens or body.max_tokens
    thinking = _THINKING.get(body.reasoning_effort)
    if task or offer.filters is None:
        return knowledge_base.talk(messages, "off" if task else thinking, limit, offer.routing)
    question, history = question_and_history(messages)
    options = AskOptions(
        thinking=thinking,
        filters=offer.filters,
        answer_tokens=limit,
        routing=offer.routing,
        wishes=wishes_of(messages),
    )
    return knowledge_base.ask_stream(question, history, options)


def _said(text: str) -> Generator[AnswerEvent, None, None]:
    yield AnswerDelta(text)
    yield Done(Answer(answer=text, answerable=True, finish_reason="stop"))


def _described(offer: Offer, knowledge_base: KnowledgeBase) -> schemas.Model:
    synced = knowledge_base.index_state().last_sync
    models = knowledge_base.models
    status = models.small() if offer.routing == "small" else models.answering()
    model = status.info if status else None
    return schemas.Model(
        id=offer.id,
        name=offer.id,
        created=int(synced.timestamp()) if synced else 0,
        context_length=model.context_tokens if model else None,
    )
