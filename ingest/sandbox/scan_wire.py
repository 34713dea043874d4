"""How what stands in the picture of a page travels from the child process to its parent: as one line of JSON.

Pure. What arrives is checked, as all is that comes from the child.
"""

from dataclasses import astuple

from ingest.sandbox.wire import json_line, read_line
from kb.values.scans import ScannedPage, Word


def encode_scan(page: ScannedPage) -> bytes:
    """Writes what was read in a picture as one line of JSON, line end included."""
    return json_line({"text": page.text, "words": [astuple(word) for word in page.words]})


def decode_scan(line: bytes) -> ScannedPage:
    """Reads what `encode_scan` or `encode_failure` wrote.

    Raises:
        UnreadableFile: It is a failure; `OutOfMemory` if that was the reason.
        ValueError: It is neither.
    """
    reply = read_line(line)
    try:
        words = tuple(Word(str(text), *map(float, box)) for text, *box in reply["words"])
        page = ScannedPage(str(reply["text"]), words)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no page") from error
    if any(not 0 <= edge <= 1 for word in page.words for edge in astuple(word)[1:]):
        raise ValueError("words beside the picture")
    return page
