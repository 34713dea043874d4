import pytest

from ingest.formats.page_view import Glyphs
from ingest.sandbox.page_wire import (
    decode_glyphs,
    decode_picture,
    decode_sizes,
    encode_glyphs,
    encode_picture,
    encode_sizes,
)
from ingest.sandbox.wire import encode_failure
from kb.errors import UnreadableFile

GLYPHS = Glyphs(10, 20, "a页", ((1, 2, 3, 4), (0, 0, 0, 0)), 1)


def test_what_is_written_is_read() -> None:
    assert decode_sizes(encode_sizes([(1, 2), (3, 4)])) == [(1, 2), (3, 4)]
    assert decode_picture(encode_picture(b"\xff\xd8\xff\n")) == b"\xff\xd8\xff\n"
    assert decode_glyphs(encode_glyphs(GLYPHS)) == GLYPHS


@pytest.mark.parametrize("decode", [decode_sizes, decode_picture, decode_glyphs])
def test_a_failure_is_raised(decode: object) -> None:
    assert callable(decode)
    with pytest.raises(UnreadableFile, match="broken"):
        decode(encode_failure(UnreadableFile("broken", "")))


@pytest.mark.parametrize(
    ("decode", "line"),
    [
        (decode_sizes, b"[]"),
        (decode_sizes, b'{"sizes": [[1]]}'),
        (decode_sizes, b'{"sizes": [[0, 1]]}'),
        (decode_picture, b'{"picture": "*"}'),
        (decode_picture, b'{"picture": "PHN2Zz4="}'),
        (decode_picture, b'{"picture": 7}'),
        (decode_glyphs, b'{"size": [1, 1], "text": "ab", "boxes": [1, 2, 3, 4], "printed": 1}'),
        (decode_glyphs, b'{"size": [1, 1], "text": "a", "boxes": [1, 2, 3], "printed": 1}'),
        (decode_glyphs, b'{"size": [1, 1], "text": "a", "boxes": [1, 2, 3, 4], "printed": 2}'),
        (decode_glyphs, b'{"size": ["1", 1], "text": "", "boxes": [], "printed": 0}'),
    ],
)
def test_anything_else_is_refused(decode: object, line: bytes) -> None:
    assert callable(decode)
    with pytest.raises(ValueError):
        decode(line + b"\n")
