import datetime

import pytest

from kb.search.recency import asks_for_newest, newness


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What was the gross margin in the latest report?", True),
        ("What did Apple disclose in its most recent 10-Q?", True),
        ("What is the current limit?", True),
        ("最新的值班安排是什么？", True),
        ("目前的充電溫度是多少？", True),
        ("What was the gross margin in 2022?", False),
        ("Which collateral is needed?", False),
        ("谁修好了圆顶？", False),
    ],
)
def test_question_for_the_newest_is_known_by_its_words(question: str, asks: bool) -> None:
    assert asks_for_newest(question) == asks


def test_newness_goes_by_rank() -> None:
    days = [datetime.date(2020, 1, 1), datetime.date(2023, 5, 1), datetime.date(2023, 6, 1)]
    assert newness({"a": days[2], "b": days[0], "c": days[1], "d": days[2]}) == {"a": 1.0, "b": 0.0, "c": 0.5, "d": 1.0}


def test_documents_of_one_day_are_alike() -> None:
    day = datetime.date(2023, 5, 1)
    assert newness({"a": day, "b": day}) == {"a": 0.0, "b": 0.0}
    assert newness({}) == {}
