"""The routes of the conversations that are kept: list, search, read, add to, rename, delete, export."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from kb.knowledge_base import KnowledgeBase
from server.http import schemas
from server.http.dependencies import Knowledge, Working, errors
from server.http.exporting import as_markdown
from server.http.threads import in_thread

_UNKNOWN = errors(_404="No such conversation.")
_NOT_KEPT = "Conversations are not kept."

router = APIRouter(prefix="/conversations")


@router.get("", summary="List conversations")
async def list_conversations(
    knowledge_base: Knowledge,
    threads: Working,
    q: Annotated[str, Query(max_length=200, description="What stands in one of them; empty: all.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at the most.")] = 200,
) -> schemas.ConversationList:
    """The conversations that are kept, the latest first."""
    kept = knowledge_base.conversations
    found = await in_thread(threads.state, lambda: kept.list(q, limit))
    return schemas.ConversationList(
        conversations=[schemas.ListedConversation.model_validate(each) for each in found], keeps=kept.keeps
    )


@router.post("", status_code=201, summary="Begin a conversation", responses=errors(_400=_NOT_KEPT))
async def begin_conversation(knowledge_base: Knowledge, threads: Working) -> schemas.Conversation:
    """Makes a conversation without turns, to which they can be added."""
    conversation_id = await in_thread(threads.writes, knowledge_base.conversations.begin)
    return await in_thread(threads.state, lambda: read_conversation(knowledge_base, conversation_id))


@router.get("/{conversation_id}", summary="Read a conversation", responses=_UNKNOWN)
async def get_conversation(conversation_id: str, knowledge_base: Knowledge, threads: Working) -> schemas.Conversation:
    """A conversation with its turns; each citation says whether its document still says so."""
    return await in_thread(threads.questions, lambda: read_conversation(knowledge_base, conversation_id))


@router.post(
    "/{conversation_id}/turns",
    status_code=201,
    summary="Add a turn to a conversation",
    responses={**_UNKNOWN, **errors(_400=_NOT_KEPT)},
)
async def add_turn(
    conversation_id: str, body: schemas.TurnToKeep, knowledge_base: Knowledge, threads: Working
) -> schemas.Message:
    """Keeps a question and its answer, which `/ask` gave."""
    await in_thread(threads.writes, lambda: knowledge_base.conversations.add(conversation_id, body.to_core()))
    return schemas.Message(message="kept")


@router.patch("/{conversation_id}", summary="Rename a conversation", responses=_UNKNOWN)
async def rename_conversation(
    conversation_id: str, body: schemas.ConversationTitle, knowledge_base: Knowledge, threads: Working
) -> schemas.Message:
    """Gives a conversation another title."""
    await in_thread(threads.writes, lambda: knowledge_base.conversations.rename(conversation_id, body.title))
    return schemas.Message(message="renamed")


@router.delete("/{conversation_id}", summary="Delete a conversation", responses=_UNKNOWN)
async def delete_conversation(conversation_id: str, knowledge_base: Knowledge, threads: Working) -> schemas.Message:
    """Deletes a conversation; nothing of it is left in the data directory when this returns."""
    await in_thread(threads.writes, lambda: knowledge_base.conversations.delete(conversation_id))
    return schemas.Message(message="deleted: nothing of it is left in the data directory")


@router.get(
    "/{conversation_id}/export",
    summary="Export a conversation",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {}}}, **_UNKNOWN},
)
async def export_conversation(conversation_id: str, knowledge_base: Knowledge, threads: Working) -> Response:
    """A conversation as Markdown, with its quotes as footnotes."""
    kept = await in_thread(threads.state, lambda: knowledge_base.conversations.get(conversation_id))
    return Response(
        as_markdown(kept),
        media_type="text/markdown; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="conversation-{kept.info.id}.md"'},
    )


def read_conversation(knowledge_base: KnowledgeBase, conversation_id: str) -> schemas.Conversation:
    """Reads a conversation, and looks up its citations.

    Raises:
        NotFound: There is none with this id.
    """
    kept = knowledge_base.conversations.get(conversation_id)
    turns = []
    for turn in kept.turns:
        citations = []
        for citation in turn.citations:
            found, standing = knowledge_base.standing(citation)
            placed = schemas.Citation.model_validate(found).model_dump(exclude={"url"})
            citations.append(schemas.KeptCitation(**placed, standing=standing))
        turns.append(
            schemas.KeptTurn(
                question=turn.question,
                answer=turn.answer,
                citations=citations,
                model=turn.model,
                finish_reason=turn.finish_reason,
                asked_at=turn.asked_at,
            )
        )
    info = kept.info
    return schemas.Conversation(id=info.id, title=info.title, changed_at=info.changed_at, turns=turns)
