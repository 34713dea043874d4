import json

import pytest

from ingest.sandbox.scan_wire import decode_scan, encode_scan
from ingest.sandbox.wire import encode_failure
from kb.errors import UnreadableFile
from kb.values.scans import ScannedPage, Word


def test_what_was_read_in_a_picture_comes_back_as_it_was() -> None:
    page = ScannedPage("锅 236\n\n度", (Word("锅", 0.0, 0.1, 0.25, 0.2), Word("236", 0.3, 0.1, 1.0, 0.2)))
    assert decode_scan(encode_scan(page)) == page
    with pytest.raises(UnreadableFile, match="broken"):
        decode_scan(encode_failure(UnreadableFile("broken")))


@pytest.mark.parametrize("word", [["x", 0, 0, 1.5, 1], ["x", -0.1, 0, 1, 1], ["x", 0, 0, 1], ["x", 0, 0, 0, "a"], 5])
def test_words_that_are_none_are_refused(word: object) -> None:
    with pytest.raises(ValueError):
        decode_scan(json.dumps({"text": "x", "words": [word]}).encode())


@pytest.mark.parametrize("line", [b"", b"[]\n", b"{}\n", b"null\n"])
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_scan(line)
