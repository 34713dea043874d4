"""Marks in an answer that comes piece by piece."""

import itertools
from dataclasses import replace

import pytest

from kb.values.answers import Citation
from server.http.openai.marks import MarkedText, without_marks


def citation(number: int, answer_end: int, *, verified: bool = True) -> Citation:
    return Citation(number, "d1", "Guide", "guide.md", None, "", "quote", 0, 5, 0, answer_end, verified, 1.0)


def marked(pieces: list[str | Citation]) -> tuple[list[str], MarkedText]:
    text = MarkedText()
    out = [text.mark(piece) if isinstance(piece, Citation) else text.add(piece) for piece in pieces]
    return [*out, text.finish()], text


def test_words_go_out_at_once_and_marks_stand_right_behind_what_they_support() -> None:
    out, text = marked(["It opens", " at nine.", citation(1, 17), " It is", " green."])
    assert out == ["It opens", " at nine.", " [1]", " It is", " green.", ""]
    whole = "".join(out)
    (mark,) = text.marks
    assert whole[mark.start : mark.end] == "[1]"


def test_white_space_waits_for_the_mark_that_may_come_before_it() -> None:
    out, _ = marked(["At nine.", "\n\n", citation(1, 8), "- Next"])
    assert "".join(out) == "At nine. [1]\n\n- Next"


def test_several_marks_of_one_stretch_stand_side_by_side() -> None:
    out, text = marked(["At nine.", citation(1, 8), citation(2, 8), " And", citation(2, 12)])
    whole = "".join(out)
    assert whole == "At nine. [1][2] And [2]"
    assert [whole[mark.start : mark.end] for mark in text.marks] == ["[1]", "[2]", "[2]"]


def test_what_comes_of_a_citation_when_it_is_judged_is_kept_with_its_mark() -> None:
    out, text = marked(["At nine.", citation(1, 8), citation(2, 8), " And so.", citation(1, 16)])
    judged = replace(citation(2, 8), verified=False, verdict="contradicted", probability=0.1)
    text.judge(judged)
    assert [mark.citation for mark in text.marks] == [citation(1, 8), judged, citation(1, 16)]
    assert "".join(out) == "At nine. [1][2] And so. [1]"
    assert without_marks("".join(out)) == "At nine. And so."


def test_mark_of_a_row_stands_inside_its_last_cell() -> None:
    table = "| dome | opens |\n|---|---|\n| first | nine |\n| second | ten |\n"
    row_end = table.index("nine |") + len("nine |")
    known = row_end + 3  # the row is complete once the next line is seen to be another
    pieces: list[str | Citation] = [*table[:known], citation(1, row_end), *table[known:]]
    assert "".join(marked(pieces)[0]) == table.replace("nine |", "nine [1] |")


def test_indices_count_what_has_gone_out() -> None:
    sentences = ["圆顶九点开放。", "It is green.", "\n\n1. One.", "\n2. Two."]
    ends = list(itertools.accumulate(map(len, sentences)))
    pieces: list[str | Citation] = []
    for number, (sentence, end) in enumerate(zip(sentences, ends, strict=True), 1):
        pieces += [*sentence, citation(number, end)]
    out, text = marked(pieces)
    whole = "".join(out)
    assert whole == "圆顶九点开放。 [1]It is green. [2]\n\n1. One. [3]\n2. Two. [4]"
    assert [whole[mark.start : mark.end] for mark in text.marks] == ["[1]", "[2]", "[3]", "[4]"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("At nine. [1][2] And so. [3]", "At nine. And so."),
        ("a list[10] is [no](link)", "a list is [no](link)"),
        ("see [1](http://x)", "see [1](http://x)"),
    ],
)
def test_marks_are_taken_off_again(text: str, plain: str) -> None:
    assert without_marks(text) == plain
