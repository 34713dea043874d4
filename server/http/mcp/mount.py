"""The tools at `/mcp` of the service: streamable HTTP, without sessions. `server.http.guard` stands before it."""

import importlib.metadata
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from server.http.guard import MAX_BODY_BYTES
from server.http.mcp.library import OwnLibrary
from server.http.mcp.tools import make_server
from server.http.streaming import Steps

PATH = "/mcp"


def mount(app: FastAPI) -> MCPServer:
    """Adds the route.

    Returns:
        What `running` is to be given while the service runs.
    """
    state = app.state
    steps = Steps(state.stopping, state.threads.questions)
    library = OwnLibrary(state.knowledge_base, state.pipeline)
    server = make_server(library, steps, importlib.metadata.version("r1-kb"))
    door = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        max_request_body_size=MAX_BODY_BYTES,
        # The guard has looked at Host and Origin, by the rules of all routes.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes.extend(door.routes)
    return server


def running(server: MCPServer) -> AbstractAsyncContextManager[None]:
    """Answers requests while it is entered; once only."""
    return server.session_manager.run()
