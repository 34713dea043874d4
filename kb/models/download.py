"""Brings one file over HTTP: whole, or not at all, and with an interruption taken up where it was.

Knows nothing about models. A file has its name only once it is complete; until then it is `NAME.part`, and what is in
there is used again as long as the server vouches that the file has stayed the same.
"""

import errno
import hashlib
import json
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from kb.errors import ModelDownloadError, StorageError

Show = Callable[[int, int | None], None]  # bytes done, and bytes in all where they are known

ANSWER_SECONDS = 8.0  # a source that cannot be reached costs less than 10 s
_RETRIES = 4  # in a row, without a byte gained
PAUSE_SECONDS = 0.5  # before a broken connection is taken up again
_READ_BYTES = 1 << 20
# A wrong proxy is a ValueError, one that needs a package an ImportError, a missing certificate file an OSError.
_CONNECTION_ERRORS = (httpx.RequestError, httpx.InvalidURL, ValueError, ImportError, OSError)


def require_answer(url: str) -> None:
    """Looks whether a host answers at all, with one short request.

    Timeouts of the HTTP client count for each address of a host anew and leave out the name's resolution; this deadline
    is for everything together.

    Raises:
        ModelDownloadError: It does not, within `ANSWER_SECONDS`.
    """
    outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            httpx.head(url, timeout=ANSWER_SECONDS)
            outcome.put(None)
        except _CONNECTION_ERRORS as error:
            outcome.put(error)

    _check_url(url)
    threading.Thread(target=ask, name="probe", daemon=True).start()
    try:
        error = outcome.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise ModelDownloadError(f"no answer within {ANSWER_SECONDS:.0f} s") from None
    if error:
        raise ModelDownloadError(_connection_reason(error)) from error


def download(url: str, path: Path, show: Show, headers: dict[str, str] | None = None) -> None:
    """Fetches one file, continuing what an earlier call left in `NAME.part`; a broken connection is taken up again.

    Args:
        url: `http` or `https`; redirections are followed.
        path: Where the file goes once it is complete.
        show: Called with the bytes that are there and, where known, those of the whole file.
        headers: Sent to the host of the URL only.

    Raises:
        ModelDownloadError: No connection, no such file, or a broken connection that stayed so; or the server named a
            SHA-256 (the hub does, for large files) that the file does not have.
        StorageError: The disk is full.
    """
    part = path.with_name(path.name + ".part")
    sent = {"User-Agent": "r1-kb", "Accept-Encoding": "identity"} | (headers or {})
    patience = 0  # a source that never answered is not asked twice
    _check_url(url)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with httpx.Client(headers=sent, timeout=ANSWER_SECONDS, follow_redirects=True) as client:
        while True:
            before = _size(part)
            try:
                promised_sha256 = _receive(client, url, part, show)
                break
            except httpx.RequestError as error:
                patience = _RETRIES if _size(part) > before else patience - 1
                if patience <= 0:
                    raise ModelDownloadError(_connection_reason(error)) from error
                time.sleep(PAUSE_SECONDS)
    if promised_sha256:
        check_sha256(part, promised_sha256)
    with disk_errors(path):
        part.replace(path)
        _note_path(part).unlink(missing_ok=True)


def check_sha256(path: Path, expected: str, show: Show = lambda *_: None) -> None:
    """Compares a file with its SHA-256, and deletes it if it is another.

    Args:
        expected: In hex.
        show: Called with the bytes read so far and those of the file.

    Raises:
        ModelDownloadError: It is another file.
    """
    digest = hashlib.sha256()
    size_bytes = _size(path)
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
            show(file.tell(), size_bytes)
    if digest.hexdigest() != expected:
        path.unlink()
        raise ModelDownloadError(f"wrong SHA-256: {digest.hexdigest()} instead of {expected}; the file was deleted")


def require_space(folder: Path, needed_bytes: int) -> None:
    """Looks whether the disk has room.

    Args:
        folder: An existing folder on that disk.

    Raises:
        StorageError: It has not.
    """
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise StorageError(
            f"not enough disk space in {folder}: {needed_bytes / 1e9:.2f} GB needed, {free_bytes / 1e9:.2f} GB free",
            "free some space, or set KB_MODELS to a folder on another disk",
        )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns an `OSError` of work on local files into a `StorageError`.

    Args:
        path: What is being written.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full; what has come so far is kept" if full else error.strerror
        hint = "free some space and try again, or set KB_MODELS to a folder on another disk"
        raise StorageError(f"cannot write {path}: {reason}", hint if full else "check its permissions") from error


def _check_url(url: str) -> None:
    try:
        if httpx.URL(url).scheme in ("http", "https"):
            return
    except httpx.InvalidURL as error:
        raise ModelDownloadError(f"{url!r} is not a URL: {error}") from error
    raise ModelDownloadError(f"{url!r} is not an http or https URL")


def _receive(client: httpx.Client, url: str, part: Path, show: Show) -> str:
    """Appends to the part file until the response ends; returns the SHA-256 that the server promises, or nothing."""
    with client.stream("GET", url, headers=_range_headers(url, part)) as response:
        start = _start(response, part)
        if start is None:
            part.unlink()
            return _receive(client, url, part, show)
        announced = response.headers.get("Content-Length", "")
        total = start + int(announced) if announced.isdigit() else None
        if response.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            require_space(part.parent, (total or 0) - start)
            note = json.dumps({"url": url, "validator": _validator(response)})
            _append(response, part, start, total, note, show)
        return _promised_sha256(response)


def _append(response: httpx.Response, part: Path, start: int, total: int | None, note: str, show: Show) -> None:
    with disk_errors(part), part.open("r+b" if start else "wb") as file:
        _note_path(part).write_text(note, "utf-8")  # only now: a note never vouches for bytes of an older file
        file.seek(start)
        show(start, total)
        for block in response.iter_bytes():
            file.write(block)
            show(file.tell(), total)
        file.flush()
        os.fsync(file.fileno())


def _range_headers(url: str, part: Path) -> dict[str, str]:
    """Asks for the rest of the file, if it is still the file that was begun."""
    try:
        note = json.loads(_note_path(part).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    start = _size(part)
    if not start or note.get("url") != url or not note.get("validator"):
        return {}
    return {"Range": f"bytes={start}-", "If-Range": note["validator"]}


def _start(response: httpx.Response, part: Path) -> int | None:
    """Where the bytes of the response belong in the file; None if what is there is of no use."""
    if response.status_code == httpx.codes.OK:
        return 0
    start = _size(part)
    answered_range = response.headers.get("Content-Range", "")
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return start if answered_range.startswith(f"bytes {start}-") else None
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        return start if answered_range == f"bytes */{start}" else None
    raise ModelDownloadError(_status_reason(response))


def _validator(response: httpx.Response) -> str:
    """What `If-Range` needs: a strong ETag, or the date of the last change (RFC 9110, 13.1.5)."""
    etag: str = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _promised_sha256(response: httpx.Response) -> str:
    """The hub names the SHA-256 of a large file in the response that redirects to it."""
    promised = (step.headers.get("X-Linked-ETag", "").strip('"') for step in [*response.history, response])
    return next((value for value in promised if len(value) == 64), "")


def _connection_reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {ANSWER_SECONDS:.0f} s"
    return f"no connection, or a broken one ({error})"


def _status_reason(response: httpx.Response) -> str:
    match response.status_code:
        case httpx.codes.NOT_FOUND:
            return f"no such file ({response.url})"
        case httpx.codes.UNAUTHORIZED | httpx.codes.FORBIDDEN:
            return f"access denied ({response.status_code}): it does not exist, or needs a token (HF_TOKEN)"
        case status:
            return f"the server answered with status {status}"


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
