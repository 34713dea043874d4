"""The command for agents: `kb mcp`."""

import importlib.metadata
import threading
from contextlib import closing

from kb.settings import load
from server.settings import ServerSettings
from server.terminal.loading import show_loading


def mcp() -> None:
    """Offers the documents to an agent as tools (MCP), over standard input and output: the agent starts it.

    With `kb serve` running, that answers; else the data directory is opened at the first call, until the agent ends.

    Example: kb mcp
    """
    import anyio

    from server.client.lasting import LastingService
    from server.http.mcp.tools import make_server
    from server.http.streaming import Steps
    from server.http.threads import Threads

    with closing(LastingService(load(kind=ServerSettings), show_loading)) as service:
        steps = Steps(threading.Event(), Threads().questions)
        server = make_server(service, steps, importlib.metadata.version("r1-kb"))
        anyio.run(server.run_stdio_async)
