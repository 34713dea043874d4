import sqlite3
from collections.abc import Iterator
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.scripts import is_cjk
from kb.text.terms import content_terms, index_terms, numbers, search_terms

MIXED_TEXT = st.text(st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from(" \n\n.。!?…」#|-1a中")))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Connected connections", ["connect", "connect"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("1,234,567 and 1.5", ["1234567", "and", "1.5"]),
        ("max_file_bytes", ["maxfilebyt", "max", "file", "byte"]),
        ("KnowledgeBase", ["knowledgebas", "knowledg", "base"]),
        ("__init__", ["init", "__init__"]),
        ("知识库", ["知识", "识库"]),
        ("猫", ["猫"]),
        ("用Python写", ["用", "python", "写"]),
        ("知\n识", ["知识"]),
        ("knowl-\nedge", ["knowledg"]),
        ("the doctor's", ["the", "doctor"]),
        ("the doctor’s", ["the", "doctor"]),
        ("知識庫", ["知识", "识库"]),
        ("ｶﾞﾗｽ", ["ガラ", "ラス"]),
        ("한국어", ["한국", "국어"]),
        ("ジョン・スミス", ["ジョ", "ョン", "スミ", "ミス"]),
        ("", []),
    ],
)
def test_search_terms(text: str, terms: list[str]) -> None:
    assert search_terms(text) == terms


@pytest.mark.parametrize("word", ["résumé", "naïve", "größe", "кошка"])
def test_word_with_letters_beyond_ascii_stays_one_term(word: str) -> None:
    assert len(search_terms(word)) == 1


@pytest.fixture(scope="module")
def term_table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(resources.files("kb.catalog").joinpath("schema.sql").read_text("utf-8"))
    yield connection
    connection.close()


@given(text=st.one_of(MIXED_TEXT, st.text("aZé1.,:/-_'’&+#@%$漢한カ\u19b0 ")))
def test_terms_are_stored_as_they_are(term_table: sqlite3.Connection, text: str) -> None:
    terms = index_terms(text)
    term_table.execute("DELETE FROM chunk_terms")
    term_table.execute("INSERT INTO chunk_terms (rowid, terms) VALUES (1, ?)", (" ".join(terms),))
    assert {term for (term,) in term_table.execute("SELECT term FROM chunk_vocabulary")} == set(terms)
    assert not any('"' in term for term in terms)


@given(MIXED_TEXT)
def test_every_term_of_a_text_is_stored_of_it(text: str) -> None:
    assert set(search_terms(text)) <= set(index_terms(text))


@given(st.text("猫狗鸟。a ", min_size=1))
def test_every_chinese_character_begins_a_stored_term(text: str) -> None:
    assert {term[0] for term in index_terms(text) if is_cjk(term)} == {c for c in text if is_cjk(c)}


def test_stop_words_carry_no_content_in_either_language() -> None:
    assert content_terms("What is the name of it?") == ["name"]
    assert content_terms("这是什么的呢？") == []


@pytest.mark.parametrize("name", ["成都", "华为", "和平", "首都"])
def test_chinese_name_with_a_function_character_carries_content(name: str) -> None:
    assert content_terms(name) == [name]
    assert name in content_terms(f"答案是{name}。")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200 of 3.5 at 10:30", {"1200", "3.5", "10:30"}),
        ("２０２４年有 12 个", {"2024", "12"}),
        ("none", set()),
    ],
)
def test_numbers(text: str, found: set[str]) -> None:
    assert numbers(text) == found
