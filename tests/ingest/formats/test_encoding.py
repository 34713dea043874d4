import random

import pytest

from ingest.formats.encoding import clean, decode
from kb.errors import UnreadableFile

CHINESE = "会议纪要\n下周三之前完成《需求文档》的评审，由张伟负责。预算为 3,500 元。\n"
TRADITIONAL = "會議紀錄\n下週三之前完成需求文件的審查，由陳先生負責。\n"
JAPANESE = "議事録\n来週の水曜日までにレビューを終える。担当は田中さんです。\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gbk"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        (CHINESE, "utf-32"),
        ("你好，世界", "gbk"),
        ("生僻字：㐀𠀀。其余的都是常用字，读起来没有问题。", "gb18030"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "utf-16-le"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("Café crème brûlée à volonté", "latin-1"),
        ("Café crème brûlée", "utf-16-be"),
        ("Grüße", "latin-1"),
        ("“Quoted” — naïve", "cp1252"),
        ("Привет, мир. Это обычный русский текст, который мы читаем каждый день.", "cp1251"),
        ("plain ASCII", "ascii"),
    ],
)
def test_text_comes_back_from_any_usual_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_byte_order_marks_are_left_out() -> None:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert decode(mark + "标题".encode(encoding)) == "标题"


def test_every_line_end_becomes_a_newline() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_one_broken_byte_does_not_make_utf8_another_encoding() -> None:
    text = decode(CHINESE.encode() * 20 + b"\xff" + CHINESE.encode())
    assert text == CHINESE * 20 + "\ufffd" + CHINESE


def test_a_stray_nul_is_dropped() -> None:
    assert decode(b"a log line\0\n" + b"and many more of them\n" * 20).startswith("a log line\nand many")


@pytest.mark.parametrize(
    "data",
    [
        random.Random(1).randbytes(5000),
        random.Random(2).randbytes(64),
        bytes(range(256)),
        b"\0" * 100,
        b"\x7fELF\x02\x01\x01",
        random.Random(3).randbytes(1001),
    ],
)
def test_binary_data_is_not_text(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not text"):
        decode(data)


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"%PDF-1.7\n", "a PDF"), (b"\x89PNG\r\n\x1a\n", "a PNG image"), (b"PK\x03\x04", "a ZIP archive")],
)
def test_a_file_of_another_kind_is_called_by_its_name(start: bytes, kind: str) -> None:
    with pytest.raises(UnreadableFile, match=kind):
        decode(start + b"some readable text")


def test_cleaned_text_can_always_be_written_as_utf8() -> None:
    assert clean("a\ud800b\0c\ud83d\ude00d\udc00") == "a\ufffdbc\U0001f600d\ufffd"
    clean("".join(map(chr, range(0xD7F0, 0xE010)))).encode()
