"""`kb serve`: one process that watches, indexes and serves, until it is told to stop."""

import errno
import functools
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import uvicorn
from fastapi import FastAPI

from ingest.pipeline.pipeline import Pipeline
from kb.errors import SettingsError
from kb.knowledge_base import KnowledgeBase
from kb.wiring import open_knowledge_base
from server.client.local import watched_folders
from server.http.app import check_binding, create_app
from server.http.connections import MAX_HEADER_BYTES, BoundedProtocol, Limits, connections_allowed
from server.http.state import report_index
from server.http.traces import tracing
from server.settings import ServerSettings
from server.terminal import console
from server.terminal.loading import loading_bars
from server.terminal.log_lines import log_happening
from server.terminal.work_view import logging_work

GRACE_SECONDS = 3
"""How long requests may take to end when the service is stopped; then they are cut off."""


def serve_until_stopped(settings: ServerSettings, folders: Sequence[Path]) -> None:
    """Serves until the process gets SIGINT or SIGTERM.

    Args:
        folders: To watch; empty: those of the settings, else those of the last time.

    Raises:
        SettingsError: A folder does not exist, the port is taken, or the address wants a token.
        DataDirectoryLocked: Another process has the data directory open.
    """
    check_binding(settings)
    with listen(settings.host, settings.port) as listener, open_knowledge_base(settings) as knowledge_base:
        serve(knowledge_base, watched_folders(settings, knowledge_base, folders), settings, listener)


def serve(
    knowledge_base: KnowledgeBase, folders: Sequence[Path], settings: ServerSettings, listener: socket.socket
) -> None:
    """Serves an open knowledge base until the process gets SIGINT or SIGTERM.

    Args:
        folders: To watch; absolute.
        listener: From `listen`.

    Raises:
        KeyboardInterrupt: It was SIGINT.
        SystemExit: It was SIGTERM.
    """
    signal.signal(signal.SIGTERM, _end)
    pipeline = Pipeline(knowledge_base, folders, settings)
    server = make_server(knowledge_base, pipeline, settings, Limits(connections_allowed()))
    url = _url(settings.host, listener.getsockname()[1])
    knowledge_base.announce(url)
    knowledge_base.fit_ahead()
    knowledge_base.calibrate_when_idle()
    knowledge_base.digest_when_idle()
    knowledge_base.observers.add(log_happening)
    if settings.otlp_endpoint:
        knowledge_base.observers.add(tracing(settings.otlp_endpoint))
    console.show_serving(url, pipeline.folders)
    with loading_bars(knowledge_base), logging_work(lambda: report_index(knowledge_base, pipeline)):
        server.run(sockets=[listener])


def make_server(
    knowledge_base: KnowledgeBase, pipeline: Pipeline, settings: ServerSettings, limits: Limits | None = None
) -> uvicorn.Server:
    """Makes what serves HTTP; it ends within seconds of being told to, whatever is asked of it at that time."""
    app = create_app(knowledge_base, pipeline, settings)
    limits = limits or Limits()
    config = uvicorn.Config(
        app,
        http=functools.partial(BoundedProtocol, limits=limits),  # type: ignore[arg-type]
        ws="none",
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        backlog=limits.connections,  # so many are taken in at once, before any is let go
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `server.http.access.proxies` reads them
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, app, pipeline)


class _Server(uvicorn.Server):
    """Ends the work that requests wait for before it waits for the requests to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, pipeline: Pipeline) -> None:
        super().__init__(config)
        self._app = app
        self._pipeline = pipeline

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.stopping.set()
        await anyio.to_thread.run_sync(self._pipeline.stop, limiter=anyio.CapacityLimiter(1))
        await super().shutdown(sockets)


def _end(*_: object) -> None:
    """Lets SIGTERM end the process as Ctrl+C does: with all files closed."""
    sys.exit(128 + signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """Opens a socket; from then on clients can connect, though nobody answers yet.

    Args:
        host: A name, or an address of version 4 or 6.
        port: 0 takes a free one.

    Raises:
        SettingsError: The port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} of {host} is in use, perhaps by another kb",
                "open that one, or choose another port with --port (0 takes a free one)",
            ) from error
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}", "choose another --host or --port"
        ) from error


def _url(host: str, port: int) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"
