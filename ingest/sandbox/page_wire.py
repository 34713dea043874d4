"""How pages travel from the child process to its parent: as lines of JSON, checked like documents. Pure."""

import base64
from itertools import chain

from ingest.formats.page_view import Box, Glyphs
from ingest.sandbox.wire import json_line, read_line

_JPEG = b"\xff\xd8\xff"


def encode_sizes(sizes: list[tuple[int, int]]) -> bytes:
    """Writes the sizes of all pages."""
    return json_line({"sizes": sizes})


def decode_sizes(line: bytes) -> list[tuple[int, int]]:
    """Reads what `encode_sizes` or `encode_failure` wrote.

    Raises:
        UnreadableFile: It is a failure.
        ValueError: It is neither.
    """
    try:
        return [(_positive(width), _positive(height)) for width, height in read_line(line)["sizes"]]
    except (KeyError, TypeError) as error:
        raise ValueError("no sizes") from error


def encode_picture(picture: bytes) -> bytes:
    """Writes a picture."""
    return json_line({"picture": base64.b64encode(picture).decode()})


def decode_picture(line: bytes) -> bytes:
    """Reads what `encode_picture` or `encode_failure` wrote: a JPEG image.

    Raises:
        UnreadableFile: It is a failure.
        ValueError: It is neither.
    """
    try:
        picture = base64.b64decode(read_line(line)["picture"], validate=True)
    except (KeyError, TypeError) as error:
        raise ValueError("no picture") from error
    if not picture.startswith(_JPEG):
        raise ValueError("not a JPEG image")
    return picture


def encode_glyphs(glyphs: Glyphs) -> bytes:
    """Writes the characters of a page."""
    size = (glyphs.width, glyphs.height)
    boxes = list(chain.from_iterable(glyphs.boxes))
    return json_line({"size": size, "text": glyphs.text, "boxes": boxes, "printed": glyphs.printed})


def decode_glyphs(line: bytes) -> Glyphs:
    """Reads what `encode_glyphs` or `encode_failure` wrote.

    Raises:
        UnreadableFile: It is a failure.
        ValueError: It is neither.
    """
    try:
        reply = read_line(line)
        (width, height), text, sides = map(_positive, reply["size"]), str(reply["text"]), list(map(int, reply["boxes"]))
        printed = int(reply["printed"])
    except (KeyError, TypeError) as error:
        raise ValueError("no characters of a page") from error
    each = iter(sides)
    boxes: tuple[Box, ...] = tuple(zip(each, each, each, each, strict=True))
    if len(boxes) != len(text) or not 0 <= printed <= len(text):
        raise ValueError("not one box for each character")
    return Glyphs(width, height, text, boxes, printed)


def _positive(value: object) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError("a page without a size")
    return value
