"""The web service: what it is made of, how it starts and stops, and how an error is told."""

import importlib.metadata
import logging
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from ingest.pages.views import PageViews
from ingest.pipeline.pipeline import Pipeline
from kb.errors import KBError, SettingsError, StorageError
from kb.knowledge_base import KnowledgeBase
from server.http import conversations, files, linking, pages, routes, verify
from server.http.access import sessions
from server.http.access.audit import Audited
from server.http.access.doors import Doors
from server.http.access.limits import Limited
from server.http.access.proxies import Proxied
from server.http.access.tokens import TokenFile
from server.http.addresses import is_loopback
from server.http.dify import routes as dify
from server.http.errors import retry_after, status_of
from server.http.events import StatusFeed
from server.http.guard import Guard
from server.http.metrics import routes as metrics
from server.http.openai import routes as openai
from server.http.refusals import refuse
from server.http.request_ids import Identified
from server.http.state import report_status
from server.http.threads import Threads
from server.settings import ServerSettings

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parents[1] / "static"
UPLOAD_OVERHEAD_BYTES = 1_000_000

HTTP_CODES = {400: "invalid_request", 404: "not_found", 405: "wrong_method", 413: "too_large", 429: "too_much"}

DESCRIPTION = """
Questions about your own documents, answered with citations of the exact place. `POST /ask` answers, as JSON or as
server-sent events; `POST /search` finds passages only. Every error is `{"error": {"code", "message", "hint"}}`.
"""


def create_app(knowledge_base: KnowledgeBase, pipeline: Pipeline, settings: ServerSettings) -> FastAPI:
    """Makes the service.

    Args:
        knowledge_base: Is warmed up when the service starts, and stays open when it ends: whoever opened it closes it.
        pipeline: Is started and stopped with the service.
        settings: Who may reach the service, and what may be uploaded.

    Raises:
        SettingsError: The service would be reachable from elsewhere without a token.
    """
    check_binding(settings)
    from server.http.mcp import mount as mcp  # heavy

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        knowledge_base.models.start()
        pipeline.start()
        async with mcp.running(tools):
            yield
        page_views.close()
        await anyio.to_thread.run_sync(pipeline.stop, limiter=anyio.CapacityLimiter(1))

    app = FastAPI(
        title="r1-kb",
        version=importlib.metadata.version("r1-kb"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.knowledge_base = knowledge_base
    app.state.pipeline = pipeline
    app.state.settings = settings
    app.state.threads = Threads()
    app.state.page_views = page_views = PageViews(settings)
    app.state.stopping = threading.Event()  # ends answers that are being written
    app.state.feed = StatusFeed(
        lambda: report_status(knowledge_base, pipeline), app.state.stopping.is_set, app.state.threads.state
    )
    for each in (routes, files, pages, linking, conversations, verify, openai, dify, sessions):
        app.include_router(each.router)
    tools = mcp.mount(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/", _page, include_in_schema=False)
    _guard(app, settings)
    app.add_exception_handler(KBError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unforeseen)
    return app


def _guard(app: FastAPI, settings: ServerSettings) -> None:
    """Puts before the routes, from the last to the first that a request meets, what decides whether it gets there."""
    app.state.doors = doors = Doors(
        settings.token,
        TokenFile(settings.home),
        settings.proxy_from,
        settings.proxy_user_header.lower(),
        settings.proxy_rights,
    )
    app.add_middleware(Audited, home=settings.home)
    app.add_middleware(
        Limited,
        requests_a_minute=settings.client_requests,
        open_requests=settings.client_open,
        upload_bytes_an_hour=settings.client_upload_bytes,
        uploading_bytes=settings.uploading_bytes,
    )
    app.add_middleware(
        Guard,
        hosts=_host_names(settings),
        doors=doors,
        max_upload_bytes=settings.max_file_bytes + UPLOAD_OVERHEAD_BYTES,
        metrics_from=settings.metrics_from,
    )
    metrics.measure(app)
    app.add_middleware(Proxied, proxies=settings.proxy_from)
    app.add_middleware(Identified)


def check_binding(settings: ServerSettings) -> None:
    """Refuses to listen to other machines without a token.

    Raises:
        SettingsError: The address is not loopback, and there is no token.
    """
    has_keys = settings.token or settings.proxy_user_header or TokenFile(settings.home).is_there
    if not is_loopback(settings.host) and not has_keys:
        raise SettingsError(
            f"listening on {settings.host} would let other machines read your documents",
            "set KB_TOKEN to a long random value, or make a token with `kb token add`, or listen on 127.0.0.1",
        )


def _host_names(settings: ServerSettings) -> frozenset[str]:
    if not is_loopback(settings.host):
        return frozenset()
    return frozenset({"localhost", "127.0.0.1", "::1", settings.host, *settings.allowed_hosts})


async def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})


def _on_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, KBError)
    status = status_of(error)
    if status >= 500:
        logger.warning("%s: %s", error.code, error.message)
    response = refuse(status, error.code, error.message, error.hint)
    response.headers.update(retry_after(error))
    return response


def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    return refuse(422, "invalid", f"{place}: {first['msg']}", "GET /openapi.json describes each field")


def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(cause := error.__cause__, OSError):  # an upload waits in a temporary file until it is whole
        place = tempfile.gettempdir()
        hint = f"free some space in {place}, or set TMPDIR to a folder with more"
        return _on_error(request, StorageError(f"{place} cannot be written: {cause.strerror}", hint))
    code = HTTP_CODES.get(error.status_code, f"http_{error.status_code}")
    is_too_much = error.status_code in (413, 429)
    hint = "send less at a time" if is_too_much else "GET /openapi.json lists all routes and their bodies"
    return refuse(error.status_code, code, str(error.detail), hint)


def _on_unforeseen(_: Request, error: Exception) -> JSONResponse:
    return refuse(500, "error", f"an error in r1-kb itself: {type(error).__name__}", "the log of the service has more")
