import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.sentences import sentence_spans

MIXED_TEXT = st.text(st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from(" \n\n.。!?…」#|-1a中")))


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@given(MIXED_TEXT)
def test_sentences_are_in_order_trimmed_and_lose_nothing_but_white_space(text: str) -> None:
    position = 0
    for start, end in sentence_spans(text):
        assert start < end
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("它在东边。为什么？", ["它在东边。", "为什么？"]),
        ("他说：“走吧。”然后走了。", ["他说：“走吧。”", "然后走了。"]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("英文 mixed in. 然后中文。Then English.", ["英文 mixed in.", "然后中文。", "Then English."]),
        ("It weighs 3.5 kg at e.g. noon. Yes.", ["It weighs 3.5 kg at e.g. noon.", "Yes."]),
        ("Dr. Smith met J. Doe. They left.", ["Dr. Smith met J. Doe.", "They left."]),
        ("A line\nthat goes on.", ["A line\nthat goes on."]),
        ("A heading\n\nA paragraph", ["A heading", "A paragraph"]),
        ("Items:\n- one\n- two", ["Items:", "- one", "- two"]),
        ("| a | b |\n| c | d |", ["| a | b |", "| c | d |"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        ("如下：\n1. 成都。\n2. 北京。", ["如下：", "1. 成都。", "2. 北京。"]),
        ("## 3. Results are good.", ["## 3. Results are good."]),
        ("It was 42. Then it rose.", ["It was 42.", "Then it rose."]),
        ("42.\nThen it rose.", ["42.", "Then it rose."]),
    ],
)
def test_number_of_a_list_item_belongs_to_the_item(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


LONG = {
    "without line breaks": "It is so. He said that it was! Was it? ",
    "that goes on in lower case": "a. ",
    "of abbreviations": "A. B. ",
    "of list markers": "- * + ",
    "of list markers in lines": "- * + \n",
    "of numbers of a list": "1. ",
    "of dots that end nothing": "..........",
    "of quotation marks": '."',
    "of Chinese": "它在东边。为什么？“走吧。”",
    "of blank lines": "\n \n",
    "of spaces": "          ",
}


@pytest.mark.parametrize("piece", LONG.values(), ids=LONG.keys())
def test_time_grows_with_the_length_of_the_text_alone(piece: str) -> None:
    def seconds(chars: int) -> float:
        text = piece * (chars // len(piece)) + "x"
        return min(timeit.repeat(lambda: sentence_spans(text), number=1, repeat=3))

    assert seconds(60_000) < 12 * seconds(15_000) + 0.02, "four times as long; squared it would be sixteen"
