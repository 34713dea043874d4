import math

import pytest

from kb.answering.understanding.thinking import CLEAR_EVIDENCE
from kb.judging.evidence import coverage, likelihood, with_look
from kb.values.passages import Passage, PassagePart

ENGLISH = "The second dome opens at nine in the evening."
CHINESE = "第二圆顶在晚上九点开放。"


def passage(text: str = ENGLISH, words: float = 0.1, similarity: float | None = 0.85) -> Passage:
    part = PassagePart(0, len(text), 1, ("Opening hours",), 1.0)
    return Passage(1, "d1", "Visitor guide", "guide.md", text, 0, len(text), (part,), 1.0, similarity, words)


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_the_closer_a_passage_the_likelier_it_holds_the_answer(text: str) -> None:
    far, near = (likelihood("second barn", passage(text, 0.0, cosine)) for cosine in (0.78, 0.84))
    assert 0.0 < far < near - 0.05 < 1.0


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_what_the_words_add_to_the_score_counts(text: str) -> None:
    assert likelihood("second barn", passage(text, 0.0)) < likelihood("second barn", passage(text, 0.1))


@pytest.mark.parametrize("text", [ENGLISH, f"{CHINESE} Second Dome"])
def test_words_of_the_question_that_the_passage_holds_count(text: str) -> None:
    assert likelihood("third barn", passage(text)) < likelihood("second dome", passage(text))


def test_chinese_question_needs_more_than_an_english_one() -> None:
    english = likelihood("The second dome opens at nine", passage(ENGLISH, 0.0))
    assert log_odds(english) - log_odds(likelihood("第二圆顶在晚上九点", passage(CHINESE, 0.0))) == pytest.approx(1.5)
    there = likelihood("third barn", passage(CHINESE, 0.0)), likelihood("第三谷仓", passage(ENGLISH, 0.0))
    assert log_odds(there[0]) - log_odds(there[1]) == pytest.approx(1.0)


def test_across_languages_a_lower_cosine_is_believed() -> None:
    assert likelihood("third barn", passage(CHINESE, 0.0)) > likelihood("third barn", passage(ENGLISH, 0.0))


@pytest.mark.parametrize(("similarity", "is_calibrated"), [(None, True), (0.1, False), (0.99, False)])
def test_without_a_known_cosine_the_words_decide(similarity: float | None, is_calibrated: bool) -> None:
    said, unsaid = (passage(words=words, similarity=similarity) for words in (0.1, 0.0))
    likely = likelihood("second dome", said, is_calibrated=is_calibrated)
    assert likely == pytest.approx(1 / (1 + math.exp(-(0.1 * 27.5 + 4.6 - 3.2))))
    assert likely > likelihood("second dome", unsaid, is_calibrated=is_calibrated) > 0.5
    assert likelihood("third barn", unsaid, is_calibrated=is_calibrated) < 0.1


@pytest.mark.parametrize(("similarity", "is_calibrated"), [(None, True), (0.3, False)])
@pytest.mark.parametrize(("query", "text"), [("third barn", CHINESE), ("第三谷仓", ENGLISH)])
def test_where_nothing_can_be_told_the_answer_is_taken_to_be_there_but_not_for_sure(
    query: str, text: str, similarity: float | None, is_calibrated: bool
) -> None:
    unknown = likelihood(query, passage(text, 0.0, similarity), is_calibrated=is_calibrated)
    assert 0.5 < unknown < CLEAR_EVIDENCE


def test_coverage_is_the_share_of_content_words_in_text_title_and_headings() -> None:
    assert coverage("When does the second dome open?", passage()) == 1.0
    assert coverage("the second barn", passage()) == 0.5
    assert coverage("visitor hours", passage()) == 1.0
    assert coverage("barn", passage()) == 0.0
    assert coverage("第二圆顶", passage(CHINESE)) == 1.0


def test_question_of_function_words_is_covered_by_nothing() -> None:
    assert coverage("What is it?", passage()) == 0.0


def test_look_and_search_are_weighed_together() -> None:
    doubtful, likely, sure = (with_look(0.8, look) for look in (-2.0, 0.5, 2.0))
    assert doubtful < 0.5 < likely < sure
    assert with_look(0.6, 0.5) < likely


@pytest.mark.parametrize("evidence", [0.0, 1.0])
def test_certainty_before_the_look_is_no_error(evidence: float) -> None:
    assert 0.0 <= with_look(evidence, 0.0) <= 1.0
    assert with_look(evidence, 30.0) > 0.5 > with_look(evidence, -30.0)
