import itertools
from collections import Counter

import numpy as np
import pytest

from kb.text.terms import search_terms
from server.measure.bench.texts import FREQUENT_WORDS, LANGUAGES, Language, Writer, zipf_ranks

in_each_language = pytest.mark.parametrize("language", LANGUAGES)


@in_each_language
def test_same_number_gives_the_same_document_and_another_another(language: Language) -> None:
    assert Writer(language).document(3) == Writer(language).document(3)
    texts = {writer.document(number).text for writer in (Writer(language), Writer(language, 2)) for number in range(3)}
    assert len(texts) == 6


@in_each_language
def test_blocks_are_the_document(language: Language) -> None:
    document = Writer(language).document(1)
    assert document.blocks[0].start == 0
    assert document.blocks[-1].end == len(document.text)
    for block, following in itertools.pairwise(document.blocks):
        assert document.text[block.end : following.start] == "\n\n"
    assert {block.headings[0] for block in document.blocks} == {document.title}


@in_each_language
def test_a_few_words_stand_nearly_everywhere_and_most_hardly_anywhere(language: Language) -> None:
    texts = [Writer(language).document(number).text for number in range(10)]
    most_frequent = FREQUENT_WORDS[language].split()[0]
    assert all(most_frequent in text for text in texts)
    rare = Writer(language).words[-1]
    assert not any(rare in text for text in texts)


@in_each_language
def test_questions_differ_and_share_terms_with_the_document_they_are_about(language: Language) -> None:
    writer = Writer(language)
    assert len({writer.question(3, variant) for variant in range(20)}) == 20
    terms = [set(search_terms(writer.document(number).text)) for number in range(6)]
    frequency = Counter(term for held in terms for term in held)
    for number in range(6):
        asked = {term for variant in range(10) for term in search_terms(writer.question(number, variant))}
        of_one = [len({term for term in asked & held if frequency[term] == 1}) for held in terms]
        assert of_one.index(max(of_one)) == number


def test_ranks_follow_zipf_s_law() -> None:
    counts = np.bincount(zipf_ranks(np.random.default_rng(1), 1000, 200_000), minlength=1000)
    assert counts.sum() == 200_000
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.1)
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.1)
