from collections.abc import Sequence

import numpy as np
import pytest

from kb.ports import Vectors
from kb.search.languages import LEAD, LanguageBalance, measure
from kb.search.parallel_texts import PARALLEL
from tests.fakes import FakeEmbedder

APART = 0.6


class Bilingual(FakeEmbedder):
    """Knows what each of the parallel texts says, and lays the languages apart.

    Attributes:
        apart: How far.
    """

    def __init__(self, apart: float) -> None:
        super().__init__()
        self.apart = apart

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.vector(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        return self.vector(text)

    def vector(self, text: str) -> Vectors:
        place = next(i for i, row in enumerate(PARALLEL) if text in row)
        vector = np.zeros(len(PARALLEL) + 1, np.float32)
        vector[place] = 1.0
        vector[-1] = self.apart * (1 if text in PARALLEL[place][2:] else -1)
        return vector / np.float32(np.linalg.norm(vector))


@pytest.fixture
def embedder() -> Bilingual:
    return Bilingual(APART)


@pytest.fixture
def balance(embedder: Bilingual) -> LanguageBalance:
    balance = measure(embedder)
    assert balance is not None
    return balance


@pytest.mark.parametrize("asked", ["question", "chinese_question"])
def test_text_and_its_translation_are_equally_near_to_a_question_but_for_the_lead(
    embedder: Bilingual, balance: LanguageBalance, asked: str
) -> None:
    row = PARALLEL[3]
    question, texts = getattr(row, asked), [row.text, row.chinese_text]
    same, other = (0, 1) if asked == "question" else (1, 0)
    vector, vectors = embedder.embed_query(question), embedder.embed_passages(texts)
    assert (vectors @ vector)[same] - (vectors @ vector)[other] > 0.2
    balanced = vectors @ vector + balance.gain(vector, vectors)
    assert balanced[same] - balanced[other] == pytest.approx(LEAD, abs=1e-5)


@pytest.mark.parametrize("asked", ["question", "chinese_question"])
def test_centred_question_finds_both_languages(embedder: Bilingual, balance: LanguageBalance, asked: str) -> None:
    texts = [text for row in PARALLEL for text in (row.text, row.chinese_text)]
    question = balance.centred(embedder.embed_query(getattr(PARALLEL[5], asked)))
    assert np.linalg.norm(question) == pytest.approx(1.0)
    nearest = (embedder.embed_passages(texts) @ question).argsort()[-2:]
    assert {texts[place] for place in nearest} == {PARALLEL[5].text, PARALLEL[5].chinese_text}


def test_texts_in_one_language_keep_their_distances(embedder: Bilingual, balance: LanguageBalance) -> None:
    texts = embedder.embed_passages([row.text for row in PARALLEL])
    noise = np.random.default_rng(7).normal(0, 0.02, (len(PARALLEL), 1)).astype(np.float32) * balance.axis
    for question in ("question", "chinese_question"):
        gains = balance.gain(embedder.embed_query(getattr(PARALLEL[0], question)), texts + noise)
        assert np.ptp(gains) == pytest.approx(0, abs=1e-6)


def test_text_half_in_each_language_gains_half(embedder: Bilingual, balance: LanguageBalance) -> None:
    row = PARALLEL[0]
    english, chinese = embedder.embed_passages([row.text, row.chinese_text])
    gains = balance.gain(embedder.embed_query(row.question), np.stack([english, (english + chinese) / 2, chinese]))
    assert gains.tolist() == pytest.approx([0, gains[2] / 2, gains[2]])


def test_model_that_sees_no_difference_is_left_as_it_is() -> None:
    assert measure(Bilingual(0.0)) is None


def test_model_that_does_not_know_both_languages_is_left_as_it_is() -> None:
    assert measure(FakeEmbedder()) is None
