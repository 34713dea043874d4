import pytest

from kb.answering.kinds.exhaustive.bounds import bound_of


@pytest.mark.parametrize(
    ("question", "within", "beyond"),
    [
        ("All amounts above 10,000 crowns.", "18,400 crowns", "36 crowns"),
        ("List all prices under $20.", "$5", "$5.3 million"),
        ("列出超过一万元的金额", "2.6 万元", "七千元"),
        ("列出五千元以下的金额", "三百元", "七千元"),
        ("Alle Beträge über 100 Euro", "101 Euro", "99 Euro"),
        ("Todos los importes de más de 50 euros", "60 euros", "40 euros"),
    ],
)
def test_bound_is_compared(question: str, within: str, beyond: str) -> None:
    bound = bound_of(question)
    assert bound is not None
    assert bound(within)
    assert not bound(beyond)
    assert bound("some euros"), "nobody knows how many"


@pytest.mark.parametrize("question", ["All amounts of money.", "Who lives above the shop?", "列出所有金额"])
def test_most_questions_set_none(question: str) -> None:
    assert bound_of(question) is None
