import pytest

from kb.judging.verdicts import verdict_of
from kb.values.answers import Verdict


@pytest.mark.parametrize(
    ("probability", "score", "is_said", "lacks", "verdict"),
    [
        (0.9, 0.1, False, False, "supported"),
        (0.7, 0.9, False, False, "not_shown"),
        (0.1, 0.9, False, False, "contradicted"),
        (0.1, 0.3, False, False, "not_shown"),  # the place is about something else
        (None, 1.0, False, False, "not_shown"),
        (None, 1.0, True, False, "supported"),
        (0.99, 1.0, False, True, "not_shown"),
        (0.01, 1.0, False, True, "contradicted"),
        (None, 1.0, True, True, "not_shown"),
    ],
)
def test_verdict(probability: float | None, score: float, is_said: bool, lacks: bool, verdict: Verdict) -> None:
    assert verdict_of(probability, score, is_said=is_said, lacks=lacks) == verdict
