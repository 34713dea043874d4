"""The response to a request that is not passed on, in the form of all errors."""

from fastapi.responses import JSONResponse

_REFUSAL_HEADERS = {401: {"www-authenticate": "Bearer"}, 413: {"connection": "close"}}  # the rest is not read


def refuse(status: int, code: str, message: str, hint: str) -> JSONResponse:
    """The response to a request that is not passed on."""
    headers = _REFUSAL_HEADERS.get(status)
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)
