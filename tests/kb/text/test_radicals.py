import unicodedata

from kb.text.radicals import without_radicals
from kb.text.scripts import in_one_writing
from kb.text.terms import search_terms


def test_radicals_are_written_as_characters_and_all_else_stays() -> None:
    text = "⼀⻚ ⻓度 ⻋⻢ ⻰⻳, ﬁ Ａ 長度"
    assert without_radicals(text) == "一页 长度 车马 龙龟, ﬁ Ａ 長度"
    assert len(without_radicals(text)) == len(text)


def test_characters_agree_with_unicode_where_it_knows_them() -> None:
    known = {char for point in range(0x2E80, 0x2FD6) if (char := chr(point)) != unicodedata.normalize("NFKC", char)}
    assert len(known) == 216
    assert all(without_radicals(char) == unicodedata.normalize("NFKC", char) for char in known)


def test_what_is_written_with_radicals_is_found_by_ordinary_characters() -> None:
    assert search_terms("⻋⻢⻓度 ⺠⽤") == search_terms("车马长度 民用")
    assert in_one_writing("⻑") == "长"
