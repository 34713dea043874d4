"""How much of the passages a model is shown: one plain fact is found best in little, what is spread needs more. Pure.

With small models more than some 320 tokens cost right answers where one fact is asked (`kb.answering.prompts.prompt`).
"""

from kb.answering.understanding.form import Form

_SPREAD: tuple[Form, ...] = ("list", "table", "calculation", "explanation")
"""Answers that mostly stand in several places."""

_MORE = 2
_MOST = 3


def source_tokens(passage_tokens: int, form: Form, parts: int) -> int:
    """The budget of passages and history in the prompt.

    Args:
        passage_tokens: For one plain fact.
        form: Of the answer.
        parts: How many things are asked in this prompt.
    """
    return passage_tokens * min(max(parts, _MORE if form in _SPREAD else 1), _MOST)
