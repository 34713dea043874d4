import pytest

from kb.answering.understanding.form import Form
from kb.answering.understanding.thinking import CLEAR_EVIDENCE, ThinkingBudgets, reasoning_tokens
from kb.values.answers import Thinking

BUDGETS = ThinkingBudgets(short=64, full=512)


@pytest.mark.parametrize(("thinking", "tokens"), [("off", 0), ("short", 64), ("full", 512)])
@pytest.mark.parametrize(("form", "evidence"), [("sentence", 1.0), ("explanation", 0.1)])
def test_what_is_asked_for_is_done(thinking: Thinking, tokens: int, form: Form, evidence: float) -> None:
    assert reasoning_tokens(thinking, BUDGETS, form, 1, evidence) == tokens


@pytest.mark.parametrize(
    ("form", "parts", "evidence", "tokens"),
    [
        ("sentence", 1, CLEAR_EVIDENCE, 0),
        ("sentence", 1, CLEAR_EVIDENCE - 0.01, 64),
        ("sentence", 2, 1.0, 64),
        ("explanation", 1, 1.0, 64),
        ("calculation", 1, 1.0, 64),
        ("list", 1, 1.0, 0),
    ],
    ids=["clear", "thin evidence", "two things", "to be explained", "to be calculated", "a clear list"],
)
def test_left_to_the_service_only_a_plain_question_is_answered_at_once(
    form: Form, parts: int, evidence: float, tokens: int
) -> None:
    assert reasoning_tokens("auto", BUDGETS, form, parts, evidence) == tokens
