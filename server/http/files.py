"""The routes by which files go in and out: upload, and the original of a document.

What goes out is read from the file that was opened, never by its path: whoever writes into the folder may change where
that leads.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, File, UploadFile
from fastapi.responses import FileResponse

from ingest.folders.intake import place
from ingest.folders.opening import open_file
from ingest.formats.registry import shown
from ingest.formats.showing import Shown
from ingest.pipeline.pipeline import Pipeline
from kb.errors import NotFound, RequestTooLarge, StorageError
from kb.knowledge_base import KnowledgeBase
from kb.values.documents import DocumentInfo
from server.http import schemas
from server.http.dependencies import Configured, Knowledge, Watching, Working, errors
from server.http.threads import in_thread

SANDBOX = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
"""The policy of an original that is no PDF: were it ever taken for a page, it would have no origin, no script and no
network. A browser does not show a PDF under a policy, and runs nothing of it in our origin."""

router = APIRouter()


def _opened(document_id: str, knowledge_base: Knowledge, pipeline: Watching) -> Iterator[tuple[DocumentInfo, BinaryIO]]:
    """A document and its file, which stays open until the response is sent."""
    document = knowledge_base.document(document_id)
    root = Path(document.file.root)
    gone = NotFound(
        f"the file {document.file.source} is not there any more", "it is removed from the index at the next sync"
    )
    if root not in pipeline.folders:
        raise gone
    try:
        file = open_file(root, document.file.source)
    except OSError as error:
        raise gone from error
    with file:
        yield document, file


@router.get(
    "/documents/{document_id}/file",
    summary="Open the original file",
    response_class=FileResponse,
    responses=errors(_404="No such document, or its file is gone."),
)
def original_file(opened: Annotated[tuple[DocumentInfo, BinaryIO], Depends(_opened)]) -> FileResponse:
    """The file as it is in the watched folder, shown rather than saved where a browser can, and nothing in it runs."""
    document, file = opened
    path = Path(document.file.root, document.file.source)
    shown_as = shown(path)
    is_pdf = shown_as is Shown.AS_IT_IS and document.media_type == "application/pdf"
    return FileResponse(
        path if sys.platform == "win32" else f"/dev/fd/{file.fileno()}",
        stat_result=os.fstat(file.fileno()),
        media_type="text/plain; charset=utf-8" if shown_as is Shown.AS_TEXT else document.media_type,
        filename=path.name,
        headers={} if is_pdf else {"content-security-policy": SANDBOX},
        content_disposition_type="attachment" if shown_as is Shown.AS_DOWNLOAD else "inline",
    )


@router.post(
    "/documents",
    status_code=201,
    summary="Upload files",
    responses=errors(
        _400="A name that cannot be used.",
        _413="Too large.",
        _415="A type that cannot be read.",
        _429="This client, or all together, have uploaded enough for now.",
        _507="The disk is full, or nearly so.",
    ),
)
async def upload(
    files: Annotated[list[UploadFile], File(description="Of a type that can be read; `/status` counts the others.")],
    knowledge_base: Knowledge,
    pipeline: Watching,
    threads: Working,
    settings: Configured,
) -> schemas.UploadResponse:
    """Puts files into the watched folder, the first if there are several; indexing follows by itself."""
    await in_thread(threads.writes, lambda: _check_room(files, pipeline.folders[0], settings.min_free_bytes))
    uploaded = await in_thread(threads.writes, lambda: [_receive(file, knowledge_base, pipeline) for file in files])
    pipeline.request()
    return schemas.UploadResponse(uploaded=uploaded)


def _check_room(files: Sequence[UploadFile], folder: Path, min_free_bytes: int) -> None:
    try:
        left = shutil.disk_usage(folder).free - sum(file.size or 0 for file in files)
    except OSError:
        return  # a folder that is away is told of where the file is placed
    if left < min_free_bytes:
        raise StorageError(
            f"the upload would leave {max(0, left):,} bytes on the disk of {folder}; {min_free_bytes:,} are kept free",
            "free some room, or lower KB_MIN_FREE_BYTES",
        )


def _receive(file: UploadFile, knowledge_base: KnowledgeBase, pipeline: Pipeline) -> schemas.Uploaded:
    root, limit = pipeline.folders[0], pipeline.settings.max_file_bytes
    if file.size is not None and file.size > limit:
        raise RequestTooLarge(
            f"{file.filename} has {file.size:,} bytes; the limit is {limit:,}", "split it, or raise KB_MAX_FILE_BYTES"
        )
    path = place(root, file.filename or "", file.file)
    source = path.relative_to(root).as_posix()
    knowledge_base.clear_failure(str(root), source)
    return schemas.Uploaded(root=str(root), source=source, size_bytes=file.size or 0)
