"""Which right a request needs. Each route stands here; a test walks all of them, so that none is forgotten. Pure."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

from server.settings import Right

RIGHTS: tuple[Right, ...] = get_args(Right)

Need = Literal["none", "known", "read", "ask", "write", "admin"]
"""`none`: anybody may; `known`: whoever has any right."""

ROUTES: Mapping[str, Need] = {
    "GET /": "none",
    "GET /static/{path:path}": "none",
    "GET /healthz": "none",
    "GET /readyz": "none",
    "POST /session": "known",
    "DELETE /session": "none",
    "GET /openapi.json": "known",
    "GET /status": "known",
    "GET /metrics": "known",
    "GET /events": "read",
    "POST /search": "read",
    "GET /documents": "read",
    "GET /documents/{path:path}": "read",
    "POST /retrieval": "read",
    "GET /v1/models": "known",
    "GET /v1/models/{path:path}": "known",
    "POST /v1/embeddings": "read",
    "POST /ask": "ask",
    "POST /prepare": "ask",
    "POST /verify": "ask",
    "POST /v1/chat/completions": "ask",
    "POST /v1/responses": "ask",
    "GET /mcp": "ask",
    "POST /mcp": "ask",
    "DELETE /mcp": "ask",
    "GET /conversations": "ask",
    "POST /conversations": "ask",
    "GET /conversations/{path:path}": "ask",
    "POST /conversations/{path:path}": "ask",
    "PATCH /conversations/{path:path}": "ask",
    "DELETE /conversations/{path:path}": "ask",
    "POST /documents": "write",
    "DELETE /documents/{document_id}": "write",
    "POST /sync": "write",
    "POST /reindex": "admin",
}

_PATTERNS = [
    (method, re.compile(re.sub(r"\\\{path:path\\\}", ".+", re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))), need)
    for route, need in ROUTES.items()
    for method, path in [route.split(" ")]
]


def need_of(method: str, path: str) -> Need:
    """What a request needs; `admin` where it is for no route that is known."""
    method = "GET" if method == "HEAD" else method
    return next(
        (need for own, pattern, need in _PATTERNS if own == method and pattern.fullmatch(path)),
        "admin",
    )
