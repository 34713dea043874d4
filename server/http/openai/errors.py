"""Errors under `/v1` in the form that clients of the OpenAI API read."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from kb.errors import InvalidRequest, KBError
from server.http.errors import retry_after, status_of
from server.http.openai import schemas

_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Route(APIRoute):
    """A route whose errors have the form of the OpenAI API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See `APIRoute`."""
        handle = super().get_route_handler()

        async def handling(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"] if part != "body")
                return _response(InvalidRequest(f"{place or 'body'}: {first['msg']}"), place or None)
            except KBError as error:
                return _response(error)

        return handling


def error_body(error: KBError, param: str | None = None) -> schemas.ErrorResponse:
    """The body that tells of an error."""
    status = status_of(error)
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    message = f"{error.message}: {error.hint}" if error.hint else error.message
    code = "rate_limit_exceeded" if status == 429 else error.code
    return schemas.ErrorResponse(error=schemas.ErrorBody(message=message, type=kind, param=param, code=code))


def _response(error: KBError, param: str | None = None) -> JSONResponse:
    body = error_body(error, "model" if error.code == "model_not_found" else param)
    return JSONResponse(body.model_dump(), status_of(error), retry_after(error))
