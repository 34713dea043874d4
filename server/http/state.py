"""The state of the service, its files and the outcome of a sync, put together for HTTP and for the terminal."""

import base64
import importlib.metadata
import json
import time
from typing import Literal

from pydantic import TypeAdapter

from ingest.pipeline.pipeline import Pipeline
from kb.answering.engines.models import ModelStatus
from kb.errors import InvalidRequest, KBError
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import LoadState
from kb.values.documents import DocumentInfo
from server.http import schemas
from server.http.schemas.base import Text

_WIRE_STATES: dict[LoadState, Literal["missing", "downloading", "loading", "ready", "failed"]] = {
    LoadState.WAITING: "missing",
    LoadState.DOWNLOADING: "downloading",
    LoadState.LOADING: "loading",
    LoadState.READY: "ready",
    LoadState.FAILED: "failed",
}

MAX_TEXT_CHARS = 20_000
"""Most text of a document in one response."""

_PLACE = TypeAdapter(tuple[Text, Text])


def report_status(knowledge_base: KnowledgeBase, pipeline: Pipeline) -> schemas.Status:
    """Gathers counts, queue, failures and models."""
    documents, chunks = knowledge_base.counts()
    answer, embedding = _model(knowledge_base.models.answering()), _model(knowledge_base.models.embedding())
    reranker, small = knowledge_base.models.reranker(), knowledge_base.models.small()
    return schemas.Status(
        version=importlib.metadata.version("r1-kb"),
        ready=answer.state == "ready" and embedding.state == "ready",
        documents=documents,
        chunks=chunks,
        folders=[schemas.Folder(path=str(path), reachable=reachable) for path, reachable in pipeline.status.folders],
        index=report_index(knowledge_base, pipeline),
        failures=[schemas.Failure.of(failure) for failure in knowledge_base.failures()],
        partly_read=[schemas.Document.of(document) for document in knowledge_base.partly_read()],
        unsupported=dict(pipeline.status.unsupported),
        models=schemas.Models(
            answer=answer,
            small=_model(small) if small else None,
            embedding=embedding,
            reranker=_model(reranker) if reranker else None,
        ),
        judge=schemas.Judge.model_validate(knowledge_base.models.judge()),
        min_evidence=knowledge_base.settings.min_evidence,
    )


def report_documents(
    knowledge_base: KnowledgeBase, pipeline: Pipeline, limit: int | None = None, cursor: str | None = None
) -> schemas.DocumentList:
    """Lists the files of the watched folders.

    Args:
        limit: Documents of a page; None: all.
        cursor: Where the page begins, from the one before; None: the first page, on which failures and waiting files
            stand, too.

    Raises:
        InvalidRequest: The cursor is none of ours.
    """
    status = pipeline.status
    waiting = [status.current, *status.pending] if status.current else list(status.pending)
    after = _place(cursor) if cursor else ("", "")
    documents = knowledge_base.documents(None if limit is None else limit + 1, after)
    shown = documents[:limit]
    return schemas.DocumentList(
        documents=[schemas.Document.of(document) for document in shown],
        failures=[] if cursor else [schemas.Failure.of(failure) for failure in knowledge_base.failures()],
        pending=[] if cursor else waiting,
        total=knowledge_base.counts()[0],
        next=_cursor(shown[-1]) if len(documents) > len(shown) else None,
    )


def read_stretch(
    knowledge_base: KnowledgeBase, document_id: str, start: int = 0, end: int | None = None
) -> schemas.DocumentText:
    """Reads a stretch of a document.

    Args:
        start: First character of its text.
        end: Character after the last; what lies more than `MAX_TEXT_CHARS` behind the first is left out.

    Raises:
        NotFound: There is no such document.
    """
    document = knowledge_base.document(document_id)
    limit = start + MAX_TEXT_CHARS
    text = knowledge_base.text(document_id, start, limit if end is None else min(end, limit))
    return schemas.DocumentText.of_span(document, text, start)


def _cursor(document: DocumentInfo) -> str:
    return base64.urlsafe_b64encode(json.dumps([document.file.root, document.file.source]).encode()).decode()


def _place(cursor: str) -> tuple[str, str]:
    try:
        return _PLACE.validate_json(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as error:
        raise InvalidRequest(f"no page begins at {cursor[:100]!r}", "begin without a cursor") from error


def sync_now(knowledge_base: KnowledgeBase, pipeline: Pipeline, *, retry: bool = False) -> schemas.SyncResponse:
    """Brings the index up to date and says what is in it.

    Args:
        retry: Whether files that failed before are tried again though they have not changed.

    Raises:
        KBError: Nothing can be indexed, or the service is being stopped.
    """
    began = time.monotonic()
    if not pipeline.sync(retry=retry):
        raise KBError("the service is being stopped", "start it again")
    return report_sync(knowledge_base, began)


def report_sync(knowledge_base: KnowledgeBase, began: float) -> schemas.SyncResponse:
    """Says what a sync has come to.

    Args:
        began: When, by the monotonic clock.
    """
    documents, chunks = knowledge_base.counts()
    seconds = round(time.monotonic() - began, 2)
    return schemas.SyncResponse(
        documents=documents, chunks=chunks, failed=knowledge_base.index_state().failed, seconds=seconds
    )


def report_index(knowledge_base: KnowledgeBase, pipeline: Pipeline) -> schemas.IndexStatus:
    """Tells how current the index is, and what is being done about it."""
    status, state, building = pipeline.status, knowledge_base.index_state(), knowledge_base.index_work()
    return schemas.IndexStatus(
        pending=state.pending,
        failed=state.failed,
        last_sync=state.last_sync,
        current=status.current,
        scanning=status.scanning,
        pages_to_scan=status.pages_to_scan,
        degraded=status.degraded,
        error=_error(status.error),
        work=schemas.Work.model_validate(status.progress) if status.progress else None,
        building=schemas.Progress.model_validate(building) if building else None,
    )


def _model(model: ModelStatus) -> schemas.Model:
    state, progress = model.loading.state, model.loading.progress
    return schemas.Model(
        state=_WIRE_STATES[state],
        name=model.name,
        note=model.note,
        reasons=model.info.reasons if model.info else False,
        context_tokens=model.info.context_tokens if model.info else None,
        device=model.info.device if model.info else None,
        host=model.host or None,
        progress=schemas.Progress.model_validate(progress) if progress and state is LoadState.DOWNLOADING else None,
        error=_error(model.loading.error),
    )


def _error(error: KBError | None) -> schemas.Error | None:
    return schemas.Error(code=error.code, message=error.message, hint=error.hint) if error else None
