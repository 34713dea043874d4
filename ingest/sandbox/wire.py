"""How a document travels from the child process to its parent: as one line of JSON.

Pure. The reader may have been taken over by a hostile file, so what arrives is checked and nothing in it is run.
"""

import datetime
import json
from dataclasses import astuple
from itertools import pairwise
from typing import Any

from kb.errors import KBError, UnreadableFile
from kb.values.documents import Block, BlockKind, Document
from kb.values.links import Link

READY = b"ready\n"
"""What a child says first."""


def encode_document(document: Document) -> bytes:
    """Writes a document as one line of JSON, line end included."""
    paths = list(dict.fromkeys(block.headings for block in document.blocks))
    numbers = {path: number for number, path in enumerate(paths)}
    return json_line(
        {
            "title": document.title,
            "has_own_title": document.has_own_title,
            "media_type": document.media_type,
            "tags": document.tags,
            "date": document.date.isoformat() if document.date else None,
            "page_count": document.page_count,
            "names": document.names,
            "aliases": document.aliases,
            "links": [astuple(link) for link in document.links],
            "unread_pages": document.unread_pages,
            "ocr_pages": document.ocr_pages,
            "unmapped_chars": document.unmapped_chars,
            "page_labels": document.page_labels,
            "paths": paths,
            "blocks": [(b.start, b.end, b.kind.value, numbers[b.headings], b.page) for b in document.blocks],
            "text": document.text,
        }
    )


class OutOfMemory(UnreadableFile):
    """A file needs more memory than its reader was given."""


class NotOpened(UnreadableFile):
    """A file could not be opened, or not any more; what is in it has nothing to do with it."""


_KINDS = {kind.__name__: kind for kind in (OutOfMemory, NotOpened)}


def encode_failure(error: KBError) -> bytes:
    """Writes the reason of a failure as one line of JSON, line end included."""
    return json_line({"error": error.message, "hint": error.hint, "kind": type(error).__name__})


def decode_reply(line: bytes) -> Document:
    """Reads what `encode_document` or `encode_failure` wrote.

    Raises:
        UnreadableFile: It is a failure; `OutOfMemory` or `NotOpened` if that was the reason.
        ValueError: It is neither.
    """
    try:
        reply = read_line(line)
        paths = [tuple(map(str, path)) for path in reply["paths"]]
        document = Document(
            title=str(reply["title"]),
            has_own_title=bool(reply["has_own_title"]),
            media_type=str(reply["media_type"]),
            tags=tuple(map(str, reply["tags"])),
            date=datetime.date.fromisoformat(reply["date"]) if reply["date"] else None,
            page_count=None if reply["page_count"] is None else int(reply["page_count"]),
            names=tuple(map(str, reply["names"])),
            aliases=tuple(map(str, reply["aliases"])),
            links=tuple(
                Link(int(start), int(end), str(target), str(fragment), bool(is_embed), bool(is_path))
                for start, end, target, fragment, is_embed, is_path in reply["links"]
            ),
            unread_pages=tuple(map(int, reply["unread_pages"])),
            ocr_pages=tuple(map(int, reply["ocr_pages"])),
            unmapped_chars=int(reply["unmapped_chars"]),
            page_labels=tuple(map(str, reply["page_labels"])),
            text=str(reply["text"]),
            blocks=tuple(
                Block(int(start), int(end), BlockKind(kind), paths[path], None if page is None else int(page))
                for start, end, kind, path, page in reply["blocks"]
            ),
        )
    except (KeyError, IndexError, TypeError, RecursionError) as error:
        raise ValueError("not a document") from error
    _check_offsets(document)
    _check_pages(document)
    return document


def read_line(line: bytes) -> dict[str, Any]:
    """Reads a reply.

    Raises:
        UnreadableFile: It is what `encode_failure` wrote; `OutOfMemory` or `NotOpened` if that was the reason.
        ValueError: It is no JSON, or no object.
    """
    reply = json.loads(line)
    if not isinstance(reply, dict):
        raise ValueError("not an object")
    if "error" in reply:
        kind = _KINDS.get(reply["kind"], UnreadableFile)
        raise kind(str(reply["error"]), str(reply["hint"]))
    return reply


def json_line(value: object) -> bytes:
    """Writes a value as one line of JSON, line end included."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _check_offsets(document: Document) -> None:
    offsets = [0, *(offset for block in document.blocks for offset in (block.start, block.end)), len(document.text)]
    if any(left > right for left, right in pairwise(offsets)):
        raise ValueError("blocks out of order")
    if any(not 0 <= link.start < link.end <= len(document.text) for link in document.links):
        raise ValueError("links that are not in the text")


def _check_pages(document: Document) -> None:
    pages = {*(block.page for block in document.blocks), *document.unread_pages, *document.ocr_pages} - {None}
    if pages - set(range(1, (document.page_count or 0) + 1)):
        raise ValueError("pages that are not there")
    if document.page_labels and len(document.page_labels) != document.page_count:
        raise ValueError("not one label for each page")
