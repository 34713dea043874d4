import pytest

from kb.citing.analysed_text import AnalysedText
from kb.citing.fragments import has_nearer_rival, is_of_kind_asked, polarity

SCORES = "The Panthers gave up 308 points, and led the league in interceptions with 24, said Josh Norman."


@pytest.mark.parametrize(
    ("answer", "question", "expected"),
    [
        ("Yes.", "Is the gate locked?", "yes"),
        ("No!", "Is the gate locked?", "no"),
        ("是的。", "大门锁着吗？", "yes"),
        ("没有。", "大门锁了没有？", "no"),
        ("Yes, at night.", "Is the gate locked?", None),
        ("Yes.", "When is the gate locked?", None),
        ("是的。", "大门什么时候锁？", None),
    ],
)
def test_bare_yes_and_no_answer_questions_that_ask_for_them(answer: str, question: str, expected: str | None) -> None:
    assert polarity(answer, question) == expected


@pytest.mark.parametrize(
    ("answer", "question", "expected"),
    [
        ("Josh Norman", "How many points did they give up?", False),
        ("308", "How many points did they give up?", True),
        ("One.", "How many domes are there?", True),
        ("布兰特", "有多少座圆顶？", False),
        ("两座", "有多少座圆顶？", True),
        ("Josh Norman", "Who said so?", True),
    ],
)
def test_a_number_is_wanted_where_one_is_asked_for(answer: str, question: str, expected: bool) -> None:
    assert is_of_kind_asked(answer, question) is expected


@pytest.mark.parametrize(
    ("answer", "question", "expected"),
    [
        ("24", "How many points did they give up?", True),
        ("308", "How many points did they give up?", False),
        ("308", "How many interceptions did they have?", True),
        ("24", "How many interceptions did they have?", False),
        ("Josh Norman", "How many points did the Panthers give up?", False),
        ("not in the quote", "How many points?", False),
    ],
)
def test_of_two_numbers_the_one_that_the_question_is_about_is_nearer(
    answer: str, question: str, expected: bool
) -> None:
    assert has_nearer_rival(answer, AnalysedText(question), SCORES) is expected
