import pytest

from kb.judging.support import is_answer, look_at, nearest_sentences

TEXT = "The dome opens at nine. Bread is baked at six. The council rejected the budget. It met in May."


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("The council approved the budget.", "The council rejected the budget."),
        ("The dome opens at six.", "The dome opens at nine."),
        ("The dome opens and bread is baked.", "The dome opens at nine. Bread is baked at six."),
    ],
)
def test_sentences_that_a_statement_is_about_are_found_in_their_order(statement: str, expected: str) -> None:
    assert nearest_sentences([TEXT], statement) == expected


def test_question_helps_to_find_them_and_several_passages_are_searched() -> None:
    assert nearest_sentences([TEXT, "天文台九点开门。茶馆六点开门。"], "六点。", "茶馆几点开门？") == "茶馆六点开门。"
    assert nearest_sentences([], "x") == ""


@pytest.mark.parametrize(("statement", "replies"), [("It opens at nine.", ("Yes", "No")), ("九点开门。", ("对", "错"))])
def test_model_is_asked_in_the_language_of_the_statement(statement: str, replies: tuple[str, str]) -> None:
    look = look_at([TEXT], statement)
    assert (look.reply, look.other) == replies
    assert "opens at nine" in look.messages[-1].content
    assert statement in look.messages[-1].content


@pytest.mark.parametrize(
    ("statement", "question", "expected"),
    [
        ("At nine", "When does it open?", True),
        ("九点", "几点开门？", True),
        ("It opens at nine.", "When does it open?", False),
        ("九点开门。”", "几点开门？", False),
        ("At nine", "", False),
    ],
)
def test_what_is_no_whole_sentence_is_judged_with_its_question(statement: str, question: str, expected: bool) -> None:
    assert is_answer(statement, question) == expected
    look = look_at([TEXT], statement, question)
    assert bool(question and question in look.messages[-1].content) == expected
