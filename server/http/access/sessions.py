"""`/session`: the page shows its token once, and is then known by a cookie that no script can read.

A cookie goes to every port of a host, so it holds neither the token nor what it is made of, and ends with the process.
"""

from fastapi import APIRouter, Request, Response

from server.http.access.doors import CLIENT, SESSION_COOKIE, Client, Doors
from server.http.dependencies import errors

router = APIRouter()


@router.post(
    "/session", status_code=204, summary="Begin a session", responses=errors(_401="No token, or none that is valid.")
)
async def begin_session(request: Request) -> Response:
    """Gives who sends a token a cookie that stands for it, for pages of this service."""
    client: Client | None = request.scope.get(CLIENT)
    doors: Doors = request.app.state.doors
    response = Response(status_code=204)
    if client and client.digest:
        response.set_cookie(
            SESSION_COOKIE,
            doors.session(client),
            max_age=doors.session_seconds,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return response


@router.delete("/session", status_code=204, summary="End a session")
async def end_session() -> Response:
    """Takes the cookie back."""
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response
