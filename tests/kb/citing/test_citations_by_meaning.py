from collections.abc import Sequence

import numpy as np

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


def test_statement_is_held_against_what_means_the_same_in_another_language() -> None:
    alignment = Citer("圆顶几点打开？", [passage(BREAD), passage(DOME, 2)], Meanings(SAME)).align(
        "第二个圆顶晚上九点打开。"
    )
    assert alignment is not None
    assert [quote.analysed_text.text for quote in alignment.quotes] == ["The second dome opens at nine in the evening."]
    assert (alignment.score, alignment.lacks, alignment.is_said) == (1.0, False, False)


def test_each_quote_is_embedded_once_and_only_those_in_another_language() -> None:
    meanings = Meanings()
    citer = Citer("圆顶几点打开？", [passage(DOME), passage(CHINESE, 2)], meanings)
    for answer in ("企鹅不会飞。", "熊猫吃竹子。"):
        citer.align(answer)
    assert sorted(meanings.asked) == sorted(
        [*(DOME[slice(*span)] for span in sentence_spans(DOME)), "企鹅不会飞。", "熊猫吃竹子。"]
    )


def test_number_must_be_in_the_quote_in_another_language_too() -> None:
    answer = "第二个圆顶自1999年起晚上九点打开。"
    meanings = Meanings(SAME | {answer})
    alignment = Citer("圆顶几点打开？", [passage(DOME)], meanings).align(answer)
    assert alignment is not None
    assert alignment.lacks


def test_meaning_is_not_asked_for_where_the_words_match() -> None:
    meanings = Meanings()
    answer = "The second dome opens at nine in the evening."
    Citer(QUESTION, [passage(DOME)], meanings).align(answer)
    assert meanings.asked == []
