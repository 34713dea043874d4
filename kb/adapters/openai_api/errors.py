"""What a server or the way to it answers instead of a reply → an error that says what to do.

Neither keys nor prompts stand in a message. Invariant: of what a server says, only a short line is repeated.
"""

import json
import re
import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from kb.errors import ModelBusy, ModelError, ModelUnreachable, PromptTooLong
from kb.models.remote import RemoteModel

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same request may go well a moment later."""

_SHOWN_CHARS = 200
_TOO_LONG = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum (?:context|input|model) length|context (?:length|window|size)"
    r"|max_model_len|input length|prompt (?:is )?too long|range of input length|too large to process"
    r"|must have less than \d+ tokens",
    re.IGNORECASE,
)
_KEY = re.compile(r"\b(?:sk|key|Bearer)[-_ ][\w*.-]{6,}", re.IGNORECASE)


class NotServed(ModelError):
    """There is no such thing on the server: no such model, or not this part of the protocol."""


class Refused(ModelError):
    """The request itself is not to the liking of the server.

    Args:
        said: All that the server said of it.
    """

    def __init__(self, message: str, hint: str, said: str) -> None:
        super().__init__(message, hint)
        self.said = said


def of_status(model: RemoteModel, status: int, body: bytes, retry_after_seconds: float | None) -> ModelError:
    """Says what a status that is no success means.

    Args:
        retry_after_seconds: What the server has asked for; None: nothing.
    """
    said = _said(body)
    where = f"the server {model.host} answered {status}"
    if status in (400, 413, 422, 500) and _TOO_LONG.search(body.decode("utf-8", "replace")):
        return too_long(model, said)
    match status:
        case 401 | 403:
            hint = "set KB_API_KEY_FILE to a file with a key that may use this model, or KB_API_KEY, or KB_KEYRING"
        case 402:
            hint = "the account has no credit left: see the page of the provider"
        case 404 | 405:
            return NotServed(
                f"{where}: {said}",
                f"check model and address in {model.setting}: is {model.model!r} served at {model.url}?",
            )
        case 400 | 422:
            text = body.decode("utf-8", "replace")
            return Refused(
                f"{where}: {said}", f"look at the log of the server; {model.setting} says which one it is", text
            )
        case 429:
            return ModelBusy(f"{where}: {said}", "ask again in a moment", max(1, round(retry_after_seconds or 10)))
        case _ if status in RETRIED:
            return ModelUnreachable(f"{where}: {said}", "look at its log, or ask again in a moment")
        case _:
            hint = f"look at the log of the server; {model.setting} says which one it is"
    return ModelError(f"{where}: {said}", hint)


def of_failure(model: RemoteModel, error: Exception) -> ModelError:
    """Says why no answer came at all."""
    where = f"{model.host} ({model.setting})"
    if isinstance(error, httpx.TimeoutException):
        return ModelUnreachable(
            f"the server {where} did not answer in time", "is it overloaded? Ask again, or raise KB_ANSWER_SECONDS"
        )
    if isinstance(error, httpx.ProxyError):
        return ModelUnreachable(
            f"the proxy on the way to {where} refused: {error}",
            "correct HTTPS_PROXY or HTTP_PROXY, or name the server in NO_PROXY",
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | ImportError | ValueError):
        return ModelError(
            f"the address {model.url} or a proxy cannot be used: {error}", f"correct {model.setting}, or HTTPS_PROXY"
        )
    if tls := _tls_reason(error):
        return ModelUnreachable(f"no secure connection to {where}: {tls[0]}", tls[1])
    reason = str(error) or type(error).__name__
    if "Name or service not known" in reason or "getaddrinfo" in reason or "name resolution" in reason:
        return ModelUnreachable(
            f"no machine is called {model.host}", f"correct {model.setting}, or look at the network"
        )
    if isinstance(error, httpx.ConnectError):
        return ModelUnreachable(
            f"nothing answers at {model.url}: {reason}", f"start the server, or correct {model.setting}"
        )
    return ModelUnreachable(
        f"the connection to {where} broke off: {reason}", "ask again; if that happens often, look at its log"
    )


def in_stream(model: RemoteModel, error: object) -> ModelError:
    """Says what an error object in the middle of a reply means."""
    said = _said(json.dumps({"error": error}).encode())
    if _TOO_LONG.search(json.dumps(error)):
        return too_long(model, said)
    return ModelError(f"the server {model.host} broke off its reply: {said}", "ask again, or look at its log")


def too_long(model: RemoteModel, said: str) -> PromptTooLong:
    """The prompt does not fit into the window of the server."""
    return PromptTooLong(
        f"question and passages do not fit into the context window of {model.model}: {said}",
        "ask a shorter question, lower KB_TOP_K or KB_PASSAGE_TOKENS, or set KB_CONTEXT_TOKENS to the server's window",
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait; None where it does not, or names a date."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def _said(body: bytes) -> str:
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        parsed = body.decode("utf-8", "replace")
    while isinstance(parsed, dict):
        parsed = next((parsed[key] for key in ("error", "message", "detail") if parsed.get(key)), "no reason given")
    text = " ".join(str(parsed).split()) or "no reason given"
    return _KEY.sub("…", text)[:_SHOWN_CHARS]


def _tls_reason(error: BaseException) -> tuple[str, str] | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({cause.verify_message})",
            "set SSL_CERT_FILE to a file with the certificate of whoever signed it; if the name is wrong, use the"
            " name in the certificate",
        )
    if isinstance(cause, ssl.SSLError) or "SSL" in str(error) or "TLS" in str(error):
        return ("it does not speak TLS as it should", "does the address begin with http:// there, not https://?")
    return None
