import pytest

from tests.kb.citing.citations_harness import (
    CHINESE,
    DOME,
    HARBOUR,
    LOCK,
    is_verified,
    passage,
)


@pytest.mark.parametrize(
    ("answer", "question", "texts"),
    [
        ("1987", "When was the second dome built?", (DOME, LOCK)),
        ("第二座", "哪座圆顶晚上打开？", ("第二座圆顶晚上打开。第三座圆顶关着。",)),
        ("Yes.", "Does the second dome open at nine in the evening?", (DOME, LOCK)),
        ("No.", "Does the second dome open at night?", ("The second dome does not open at night.",)),
        ("是的。", "第二个圆顶晚上九点打开吗？", (CHINESE,)),
        ("The second dome opens at nine.", "Does the second dome open at nine?", (DOME,)),
    ],
)
def test_short_answer_is_verified_where_the_question_is_answered(
    answer: str, question: str, texts: tuple[str, ...]
) -> None:
    assert is_verified(answer, *(passage(text, n) for n, text in enumerate(texts, start=1)), question=question)


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("1934", "When was the second dome built?"),  # of the lock
        ("Anna Meier", "Who built the second dome?"),
        ("The second dome.", "What did they do with the second dome?"),  # says nothing anew
        ("Ilse Brandt", "How many domes are there?"),
        ("No.", "Does the second dome open at nine in the evening?"),
        ("Yes.", "Does the second dome open at ten in the evening?"),
        ("Yes.", "When does the second dome open in the evening?"),
    ],
)
def test_short_answer_is_not_verified_elsewhere(answer: str, question: str) -> None:
    assert not is_verified(answer, passage(DOME), passage(HARBOUR, 2), passage(LOCK, 3), question=question)


def test_sentence_that_is_in_the_document_is_verified_whatever_was_asked() -> None:
    text = "In the evening the guide shows the second dome. The second dome opens at nine in the evening."
    question = "What does the guide of the second dome do in the evening?"
    assert is_verified("The second dome opens at nine in the evening.", passage(text), question=question)
    assert not is_verified("The guide of the second dome opens at nine.", passage(text), question=question)


def test_answer_that_stands_beside_something_less_near_to_the_question_is_not_verified() -> None:
    text = "Ilse Brandt painted the second dome in 1990. Ilse Brandt built the second dome in 1987."
    question = "When was the second dome built by Ilse Brandt?"
    assert is_verified("1987", passage(text), question=question)
    assert not is_verified("1990", passage(text), question=question)
