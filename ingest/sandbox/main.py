"""The child's side of `ingest.sandbox.process`: works on one file after the other and answers in lines of JSON.

Run as `python -m ingest.sandbox.main`. Errors that nobody foresaw end the process, and the parent reports them: it
cannot tell them from a crash, and need not.
"""

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from ingest.folders.opening import read_file
from ingest.formats.registry import load, open_pages
from ingest.ocr.engine import Recogniser
from ingest.sandbox.page_wire import encode_glyphs, encode_picture, encode_sizes
from ingest.sandbox.scan_wire import encode_scan
from ingest.sandbox.wire import READY, NotOpened, OutOfMemory, encode_document, encode_failure
from kb.children import forbid_core_dumps, take_standard_streams
from kb.errors import KBError, UnreadableFile

_BEHIND_ALL_ELSE = 19
"""Niceness of a process that reads pictures: it takes the time that nothing else wants."""


def main() -> None:
    """Answers requests until the parent closes the pipe or dies."""
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    source, replies = take_standard_streams()
    forbid_core_dumps()
    threading.Thread(target=_receive, args=(source, requests), daemon=True).start()
    replies.write(READY)
    while True:
        replies.flush()
        replies.write(_answer(requests.get()))


def _receive(source: BinaryIO, requests: queue.SimpleQueue[bytes]) -> None:
    """Hears of the parent's death also while a file is being read."""
    for line in source:
        requests.put(line)
    os._exit(0)


def _answer(line: bytes) -> bytes:
    request = json.loads(line)
    memory_bytes = int(request["memory_bytes"])
    _limit_memory(memory_bytes)
    try:
        data = _bytes(Path(request["root"]), request["source"], int(request["max_bytes"]))
        return _TASKS[request["task"]](request, data)
    except KBError as error:
        return encode_failure(error)
    except MemoryError:
        megabytes, hint = memory_bytes // 1_000_000, "raise KB_PARSE_MEMORY_BYTES, or split the file"
        return encode_failure(OutOfMemory(f"needed more memory than {megabytes:,} MB", hint))
    finally:
        _limit_memory(None)


def _document(request: Mapping[str, Any], data: bytes) -> bytes:
    scans, max_text_chars = request["scans"], int(request["max_text_chars"])
    pages = None if scans is None else {int(page): str(text) for page, text in scans.items()}
    document = load(request["source"], data, pages)
    if len(document.text) > max_text_chars:
        raise UnreadableFile(f"its text is longer than {max_text_chars:,} characters", "split the file")
    return encode_document(document)


def _sizes(request: Mapping[str, Any], data: bytes) -> bytes:
    with closing(open_pages(request["source"], data)) as pages:
        return encode_sizes(pages.sizes())


def _picture(request: Mapping[str, Any], data: bytes) -> bytes:
    with closing(open_pages(request["source"], data)) as pages:
        return encode_picture(pages.picture(int(request["page"]), int(request["width"])))


def _glyphs(request: Mapping[str, Any], data: bytes) -> bytes:
    with closing(open_pages(request["source"], data)) as pages:
        return encode_glyphs(pages.glyphs(int(request["page"])))


def _scan(request: Mapping[str, Any], data: bytes) -> bytes:
    with closing(open_pages(request["source"], data)) as pages:
        return encode_scan(_recogniser().scan(pages, int(request["page"])))


@cache
def _recogniser() -> Recogniser:
    if sys.platform != "win32":
        os.nice(_BEHIND_ALL_ELSE)
    return Recogniser()


_TASKS: Mapping[str, Callable[[Mapping[str, Any], bytes], bytes]] = {
    "document": _document,
    "sizes": _sizes,
    "picture": _picture,
    "glyphs": _glyphs,
    "scan": _scan,
}


def _bytes(root: Path, source: str, max_bytes: int) -> bytes:
    try:
        return read_file(root, source, max_bytes)
    except FileNotFoundError as error:
        raise NotOpened("the file vanished before it was read") from error
    except PermissionError as error:
        raise NotOpened("permission denied", "let the user who runs kb read the file") from error
    except OSError as error:
        raise NotOpened(f"the file cannot be read: {error.strerror or error}") from error


def _limit_memory(more_bytes: int | None) -> None:
    """Limits how much the process may grow from now on, or lifts the limit, where the platform has such a limit."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = hard if more_bytes is None else psutil.Process().memory_info().vms + more_bytes
    # macOS has the limit and refuses to set it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    main()
