import pytest

from kb.answering.prompts.source_budget import source_tokens
from kb.answering.understanding.form import Form


@pytest.mark.parametrize(
    ("form", "parts", "tokens"),
    [("sentence", 1, 320), ("list", 1, 640), ("table", 1, 640), ("sentence", 2, 640), ("list", 9, 960)],
)
def test_one_plain_fact_needs_little_and_what_is_spread_more(form: Form, parts: int, tokens: int) -> None:
    assert source_tokens(320, form, parts) == tokens
