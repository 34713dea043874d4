import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.scripts import in_one_writing, without_accents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("ＡＢＣ１２％", "ABC12%"),
        ("ﾊﾞｽ", "バス"),
        ("漢語與衞生", "汉语与卫生"),
        ("乾隆", "干隆"),
        ("ﬁnal", "final"),
        ("well‑known 1990–1995", "well-known 1990-1995"),
        ("soft\u00adhyphen", "softhyphen"),
        ("soft\u00ad\n  hyphen", "softhyphen"),
        ("zero\u200bwidth\nline", "zerowidth\nline"),
        ("an em dash — stays", "an em dash — stays"),
    ],
)
def test_one_writing(text: str, expected: str) -> None:
    assert in_one_writing(text) == expected


@given(st.text(st.characters(min_codepoint=0x3400, max_codepoint=0xFFFF, exclude_categories=("Cs",))))
def test_what_is_in_one_writing_stays_as_it_is(text: str) -> None:
    once = in_one_writing(text)
    assert in_one_writing(once) == once


@pytest.mark.parametrize(("word", "expected"), [("résumé", "resume"), ("naïve", "naive"), ("Ångström", "Angstrom")])
def test_without_accents(word: str, expected: str) -> None:
    assert without_accents(word) == expected
