from collections.abc import Sequence

import numpy as np
import pytest

from kb.citing.citations import Citer
from kb.ports import Vectors
from kb.text.sentences import sentence_spans
from tests.kb.citing.citations_harness import (
    BREAD,
    CHINESE,
    DOME,
    QUESTION,
    passage,
)


class Meanings:
    """Embeds a sentence as the meaning it is listed under; others lie apart from all."""

    def __init__(self, *meanings: set[str]) -> None:
        self.meanings = meanings
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        vectors = np.zeros((len(texts), len(self.meanings) + 1), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[next((i for i, meaning in enumerate(self.meanings) if text in meaning), len(self.meanings))] = 1
        return vectors


SAME = {"第二个圆顶晚上九点打开。", "The second dome opens at nine in the evening."}


def test_sentence_in_another_language_is_supported_by_what_means_the_same() -> None:
    answer = "第二个圆顶晚上九点打开。"
    (citation,) = Citer("圆顶几点打开？", [passage(BREAD), passage(DOME, 2)], Meanings(SAME)).cite(
        answer, (0, len(answer))
    )
    assert citation.quote in SAME
    assert citation.verified


def test_place_in_another_language_is_shown_where_the_words_of_the_own_one_say_little() -> None:
    rules = "观测站的规矩：炉子旁边有床，早上九点有茶。"
    rooms = "Breakfast is at nine. The guest house has 16 beds. A bed costs 36 crowns."
    answer = "客房有16张床。"
    (citation,) = Citer("客房有多少张床？", [passage(rules), passage(rooms, 2)], Meanings()).cite(
        answer, (0, len(answer))
    )
    assert citation.quote == "The guest house has 16 beds."


def test_each_quote_is_embedded_once_and_only_those_in_another_language() -> None:
    meanings = Meanings()
    citer = Citer("圆顶几点打开？", [passage(DOME), passage(CHINESE, 2)], meanings)
    for answer in ("企鹅不会飞。", "熊猫吃竹子。"):
        citer.cite(answer, (0, len(answer)))
    assert sorted(meanings.asked) == sorted(
        [*(DOME[slice(*span)] for span in sentence_spans(DOME)), "企鹅不会飞。", "熊猫吃竹子。"]
    )


def test_number_must_be_in_the_quote_in_another_language_too() -> None:
    answer = "第二个圆顶自1999年起晚上九点打开。"
    meanings = Meanings(SAME | {answer})
    (citation,) = Citer("圆顶几点打开？", [passage(DOME)], meanings).cite(answer, (0, len(answer)))
    assert not citation.verified


@pytest.mark.parametrize(
    ("question", "quote", "answer", "verified"),
    [
        ("圆顶夜间上锁吗？", "The dome is locked at night.", "是的。", True),
        ("圆顶夜间上锁吗？", "The dome is locked at night.", "不是。", False),
        ("圆顶夜间上锁吗？", "The dome is not locked at night.", "不是。", True),
        ("Is the dome locked at night?", "圆顶夜间上锁。", "No.", False),
        ("圆顶夜间怎么管理？", "The dome is locked at night.", "圆顶夜间不上锁。", False),
        ("水库在哪里？", "The reservoir lies west of the village.", "水库在村子以东。", False),
        ("水库在哪里？", "The reservoir lies west of the village.", "水库在村子以西。", True),
    ],
)
def test_denial_and_direction_must_agree_across_languages(
    question: str, quote: str, answer: str, verified: bool
) -> None:
    meanings = Meanings({question, answer, quote})
    (citation,) = Citer(question, [passage(quote)], meanings).cite(answer, (0, len(answer)))
    assert citation.verified is verified


def test_meaning_is_not_asked_for_where_the_words_match() -> None:
    meanings = Meanings()
    answer = "The second dome opens at nine in the evening."
    Citer(QUESTION, [passage(DOME)], meanings).cite(answer, (0, len(answer)))
    assert meanings.asked == []
