import datetime
import json

import pytest

from ingest.sandbox.wire import NotOpened, OutOfMemory, decode_reply, encode_document, encode_failure
from kb.errors import UnreadableFile
from kb.values.documents import Block, BlockKind, Document
from kb.values.links import Link

DOCUMENT = Document(
    title="标题\n“x”",
    media_type="text/markdown",
    text="# 一\n\ntwo \u2028 🙂",
    blocks=(Block(0, 3, BlockKind.HEADING, ("一",)), Block(5, 12, headings=("一", "二"), page=3)),
    has_own_title=True,
    tags=("a", "b"),
    date=datetime.date(2024, 2, 29),
    page_count=7,
    names=("乙", "Ann"),
    aliases=("乙",),
    links=(Link(0, 3, "计划", "^a", is_embed=True), Link(4, 5, "a.md", is_path=True)),
    unread_pages=(2, 5),
    ocr_pages=(1, 7),
    unmapped_chars=3,
    page_labels=("i", "ii", "1", "2", "3", "A-1", "附录"),
)


@pytest.mark.parametrize("document", [DOCUMENT, Document("t", "text/plain", "x", (Block(0, 1),))])
def test_a_document_comes_back_as_it_was(document: Document) -> None:
    line = encode_document(document)
    assert line.count(b"\n") == 1
    assert decode_reply(line) == document


@pytest.mark.parametrize("kind", [UnreadableFile, OutOfMemory, NotOpened])
def test_a_failure_comes_back_as_an_error(kind: type[UnreadableFile]) -> None:
    with pytest.raises(UnreadableFile) as caught:
        decode_reply(encode_failure(kind("没有文字", "run OCR")))
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.hint) == ("没有文字", "run OCR")


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": [[5, 2, "prose", 0, None]]},
        {"blocks": [[0, 999, "prose", 0, None]]},
        {"blocks": [[4, 6, "prose", 0, None], [2, 8, "prose", 0, None]]},
        {"blocks": [[-1, 2, "prose", 0, None]]},
        {"blocks": [[0, 2, "prose", 5, None]]},
        {"blocks": [[0, 2, "song", 0, None]]},
        {"blocks": [[0, 2]]},
        {"blocks": [[0, 2, "prose", 0, 8]]},
        {"unread_pages": [0]},
        {"links": [[0, 99, "a", "", False, False]]},
        {"links": [[0, 2, "a"]]},
        {"page_labels": ["i"]},
        {"date": "soon"},
        {"tags": None},
        {"text": None, "title": None, "paths": 3},
    ],
)
def test_what_is_no_document_is_refused(change: dict[str, object]) -> None:
    reply = json.loads(encode_document(DOCUMENT)) | change
    with pytest.raises(ValueError):
        decode_reply(json.dumps(reply).encode())


@pytest.mark.parametrize("line", [b"", b"\n", b"[]\n", b"{}\n", b"null\n", b"\xff\n", b"[" * 100_000])
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_reply(line)
