import pytest

from ingest.formats.layout import clean_pages, paragraph_spans


def test_extraction_noise_is_cleaned_away() -> None:
    (page,) = clean_pages(["The ﬁrst oﬃce  \r\nco\u00adoperates\r\n\r\n\r\n\r\nwell\x03done\u3000\rend\0 \n"])
    assert page == "The first office\ncooperates\n\nwell done\nend"


def test_radicals_become_the_characters_that_they_look_like() -> None:
    assert clean_pages(["⼀⻚ ⻓度 ⻋⻢ ⺠"]) == ["一页 长度 车马 民"]


def test_words_divided_at_a_line_end_are_joined() -> None:
    (page,) = clean_pages(
        ["an exam-\nple of a well-\nknown divi\x02sion, divi\x02\nsion; pages 3-\n4, A-\nB, well-known"]
    )
    assert page == "an example of a well-known division, division; pages 3-\n4, A-\nB, well-known"


def test_soft_hyphens_at_line_ends_join_the_word() -> None:
    assert clean_pages(["Über\u00ad\nsetzung"]) == ["Übersetzung"]


def test_running_heads_stay_where_they_stand_first_and_page_numbers_go() -> None:
    pages = [f"ACME Report 2024\nText of page {word}.\nMore {word}.\n{n}" for n, word in enumerate("abcdef", start=7)]
    cleaned = clean_pages(pages)
    assert cleaned[0] == "ACME Report 2024\nText of page a.\nMore a."
    assert cleaned[1:] == [f"Text of page {word}.\nMore {word}." for word in "bcdef"]


@pytest.mark.parametrize("foot", ["- {} -", "Page {} of 6", "第 {} 页", "ACME | Q3 2022 | {}"])
def test_page_numbers_are_known_in_any_dress(foot: str) -> None:
    pages = [f"Text {word} is here.\n{foot.format(n)}" for n, word in enumerate("abcdef", start=1)]
    assert clean_pages(pages) == [f"Text {word} is here." for word in "abcdef"]


def test_heads_of_left_and_right_pages_are_both_known() -> None:
    pages = [f"{'Book' if n % 2 else 'Chapter'}\nText {word}." for n, word in enumerate("abcdefgh")]
    assert sum("Book" in page for page in clean_pages(pages)) == 1
    assert sum("Chapter" in page for page in clean_pages(pages)) == 1


def test_a_head_of_some_pages_one_after_the_other_is_known() -> None:
    pages = [f"Part {'one' if n < 20 else 'of ' + 'abcdef'[n - 20]}\nText {n * 7}." for n in range(26)]
    pages[:14] = [f"Text {n * 7}." for n in range(14)]
    cleaned = clean_pages(pages)
    assert sum("Part one" in page for page in cleaned) == 1
    assert sum("Part of" in page for page in cleaned) == 6


def test_page_numbers_that_begin_anew_go_too() -> None:
    numbers = [*range(1, 11), *range(1, 4), *range(30, 33)]
    pages = [f"Text {word} is here.\n{number}" for word, number in zip("abcdefghijklmnop", numbers, strict=True)]
    assert clean_pages(pages) == [f"Text {word} is here." for word in "abcdefghijklmnop"]


def test_lines_that_only_look_alike_stay() -> None:
    pages = [f"Invoice {number}\nTotal {number * 3}" for number in (17, 4, 99, 23, 8)]
    assert clean_pages(pages) == pages


def test_two_pages_are_too_few_to_know_what_repeats() -> None:
    assert clean_pages(["Same\nend", "Same\nend"]) == ["Same\nend", "Same\nend"]


def test_spaces_between_all_han_characters_go_but_single_ones_stay() -> None:
    assert clean_pages(["关 于 红 军 作 战 的 原 则 ， 见 表 1 。"]) == ["关于红军作战的原则，见表 1 。"]
    assert clean_pages(["第一章 总则与范围说明"]) == ["第一章 总则与范围说明"]


def test_paragraphs_are_cut_at_blank_lines_and_trimmed() -> None:
    text = "--\n  one\ntwo \n \n\n\tthree\n\n--"
    assert [text[start:end] for start, end in paragraph_spans(text, 2, len(text) - 2)] == ["one\ntwo", "three"]


def test_lines_that_count_are_kept_where_there_is_nothing_else() -> None:
    pages = [f"Page {number} tells of the dome." for number in range(1, 9)]
    assert clean_pages(pages) == pages
    assert clean_pages([f"Page {number}" for number in range(1, 9)]) == [""] * 8
