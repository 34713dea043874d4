import pytest

from kb.answering.thinking import CLEAR_EVIDENCE, ThinkingBudgets, reasoning_tokens
from kb.values.answers import Thinking

BUDGETS = ThinkingBudgets(short=64, full=512)
PLAIN = "When does the second dome open?"


@pytest.mark.parametrize(("thinking", "tokens"), [("off", 0), ("short", 64), ("full", 512)])
@pytest.mark.parametrize(("question", "evidence"), [(PLAIN, 1.0), ("Why is it closed?", 0.1)])
def test_what_is_asked_for_is_done(thinking: Thinking, tokens: int, question: str, evidence: float) -> None:
    assert reasoning_tokens(thinking, BUDGETS, question, 1, evidence) == tokens


@pytest.mark.parametrize(
    ("question", "parts", "evidence", "tokens"),
    [
        (PLAIN, 1, CLEAR_EVIDENCE, 0),
        (PLAIN, 1, CLEAR_EVIDENCE - 0.01, 64),
        (PLAIN, 2, 1.0, 64),
        ("Explain how the winch works.", 1, 1.0, 64),
        ("两个站的海拔相差多少？", 1, 1.0, 64),
        ("第二圆顶几点开放？", 1, 1.0, 0),
    ],
    ids=["clear", "thin evidence", "two things", "to be explained", "to be calculated", "clear in Chinese"],
)
def test_left_to_the_service_only_a_plain_question_is_answered_at_once(
    question: str, parts: int, evidence: float, tokens: int
) -> None:
    assert reasoning_tokens("auto", BUDGETS, question, parts, evidence) == tokens
