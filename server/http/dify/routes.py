"""The route that Dify calls."""

from pathlib import PurePosixPath

from fastapi import APIRouter, Request

from kb.answering.questions import MAX_TOP_K
from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.passages import Passage
from server.http.dependencies import Knowledge, Working, base_url, errors
from server.http.dify import schemas
from server.http.dify.conditions import passes
from server.http.libraries import find_library
from server.http.places import place_url
from server.http.threads import in_thread

router = APIRouter()


@router.post(
    "/retrieval",
    summary="Find passages for Dify",
    responses=errors(
        _400="A comparison is unknown.", _404="No such library.", _503="The embedding model is not ready."
    ),
)
async def retrieval(
    request: Request, knowledge_base: Knowledge, threads: Working, body: schemas.RetrievalRequest | None = None
) -> schemas.RetrievalResponse:
    """Finds the passages that `/search` finds; register the address of this service, without a path, in Dify.

    Without a query nothing is found: so Dify looks whether the service is there.
    """
    if body is None or not body.query:
        return schemas.RetrievalResponse(records=[])
    wanted, address = body, base_url(request)
    records = await in_thread(threads.questions, lambda: _records(knowledge_base, wanted, address))
    return schemas.RetrievalResponse(records=records)


def _records(knowledge_base: KnowledgeBase, body: schemas.RetrievalRequest, address: str) -> list[schemas.Record]:
    query = body.query or ""
    setting = body.retrieval_setting or schemas.RetrievalSetting()
    top_k = min(setting.top_k or knowledge_base.settings.top_k, MAX_TOP_K)
    # Conditions drop some of what is found.
    searched = MAX_TOP_K if body.metadata_condition else top_k
    passages = knowledge_base.search(query, searched, find_library(knowledge_base, body.knowledge_id or ""))
    records: list[schemas.Record] = []
    for passage in passages:
        score = _score(knowledge_base, query, passage)
        metadata = _metadata(knowledge_base, passage, address)
        if metadata and score >= (setting.score_threshold or 0.0) and passes(metadata, body.metadata_condition):
            records.append(schemas.Record(content=passage.text, score=score, title=passage.title, metadata=metadata))
    return records[:top_k]


def _score(knowledge_base: KnowledgeBase, query: str, passage: Passage) -> float:
    """A number that can be compared among queries, also of what only words have found."""
    similarity = passage.similarity
    if similarity is None:
        (asked,), (found,) = knowledge_base.embed([query], as_queries=True), knowledge_base.embed([passage.text])
        similarity = float(asked @ found)
    return min(max(similarity, 0.0), 1.0)


def _metadata(knowledge_base: KnowledgeBase, passage: Passage, address: str) -> dict[str, object]:
    """What is known of a passage's document; empty if that has just gone."""
    try:
        document = knowledge_base.document(passage.document_id)
    except NotFound:
        return {}
    return {
        "document_id": document.id,
        "document_name": PurePosixPath(passage.source).name,
        "source": passage.source,
        "page": passage.page,
        "by_ocr": passage.by_ocr,
        "heading": passage.heading,
        "type": document.media_type,
        "tags": list(document.tags),
        "date": document.date.isoformat() if document.date else None,
        "url": place_url(address, passage),
    }
