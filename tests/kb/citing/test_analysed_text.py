import math

import pytest

from kb.citing.analysed_text import AddedContent, AnalysedText, ContentWord, TermRarity
from kb.text.terms import search_terms


def terms(text: str) -> list[tuple[str, ...]]:
    return [word.terms for word in AnalysedText(text).content_words]


def test_atoms_are_the_content_words_in_their_order_and_once() -> None:
    assert terms("The old dome opens, and the dome is green.") == [("old",), ("dome",), ("open",), ("green",)]


def test_numbers_dates_and_yes_are_no_atoms() -> None:
    assert terms("Yes, it weighed seven or 7.5 tons on 14 January 2024.") == terms("it weighed tons")


def test_each_chinese_character_is_found_in_either_of_its_bigrams() -> None:
    assert terms("圆顶开") == [("圆顶",), ("圆顶", "顶开"), ("顶开",)]
    assert all(word.weight == 0.5 for word in AnalysedText("圆顶开").content_words)


def test_chinese_function_characters_and_numerals_are_no_atoms() -> None:
    assert terms("圆的三顶") == [("圆的",), ("三顶",)]
    assert terms("茶") == [("茶",)]
    assert AnalysedText("茶").content_words[0].weight == 0.5


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("共有约50万名游客", "游客"),
        ("布兰特于1987年获奖", "布兰特于 获奖"),
        ("九个圆顶、两所学校", "圆顶、学校"),
        ("根据资料，圆顶开放", "圆顶开放"),
        ("According to the sources, about 30 domes are open.", "Domes are open."),
    ],
)
def test_what_stands_beside_a_number_and_a_mention_of_the_sources_are_no_atoms(text: str, same: str) -> None:
    assert terms(text) == terms(same)


def test_having_none_is_more_than_a_number() -> None:
    assert terms("没有50个") != terms("有50个")


def test_seam_between_two_runs_makes_no_bigram() -> None:
    assert ("顶茶",) not in terms("圆顶 茶叶")
    assert terms("圆顶 茶叶") == terms("圆顶") + terms("茶叶")


def test_atom_is_said_by_whoever_says_one_of_its_terms() -> None:
    word = ContentWord(("圆顶", "顶开"))
    assert word.is_in({"顶开"})
    assert not word.is_in({"圆", "开"})


def test_context_lends_its_terms_and_numbers_but_is_not_what_is_said() -> None:
    analysed_text = AnalysedText("The dome opens at 9.", context="Guide 2024")
    assert analysed_text.terms == frozenset(search_terms("The dome opens at 9.")) | frozenset(
        search_terms("Guide 2024")
    )
    assert analysed_text.content_words == AnalysedText("The dome opens at 9.").content_words
    assert analysed_text.quantities == AnalysedText("at 9").quantities
    assert analysed_text.quantities < analysed_text.offered_quantities
    assert AnalysedText("2024").quantities < analysed_text.offered_quantities


def test_names_are_capitalised_words_inside_a_sentence() -> None:
    names = AnalysedText("Visitors met Ilse Brandt and (Marx) in the second-floor Red-Kite hall on 3 March 2024.").names
    assert names == {"ils", "brandt", "marx", "red", "kite"}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0.0),
        ("the green dome", 2.0),
        ("圆顶开", 1.5),
        ("green dome 9", 3.0),
        ("green dome 9, 10, 11 and 12", 4.0),
    ],
)
def test_size_counts_words_half_characters_and_at_most_two_numbers(text: str, size: float) -> None:
    assert AnalysedText(text).size == size


def test_news_is_what_the_question_does_not_say() -> None:
    question = AnalysedText("When was dome 2 built by Brandt?")
    added = AddedContent(AnalysedText("Ilse Brandt built dome 2 in 1987."), question)
    assert [word.terms for word in added.content_words] == [("ils",)]
    assert added.quantities == AnalysedText("1987").quantities
    assert added.size == 2.0


def test_repeating_the_question_is_no_news() -> None:
    question = AnalysedText("圆顶几点开放？")
    assert AddedContent(AnalysedText("圆顶开放"), question).size == 0.0


def test_the_fewer_texts_say_it_the_more_it_counts() -> None:
    rarity = TermRarity([AnalysedText("dome dome"), AnalysedText("dome barn"), AnalysedText("dome")])
    assert "barn" in rarity.terms
    assert "hill" not in rarity.terms
    content_words = AnalysedText("barn dome").content_words
    said, total = rarity.weights(content_words, {"barn"})
    assert [said, total - said] == pytest.approx([math.log1p(3 / 1), math.log1p(3 / 3)])
    assert rarity.share(content_words, {"barn"}) == pytest.approx(said / total)


def test_what_no_text_says_counts_as_what_one_says() -> None:
    rarity = TermRarity([AnalysedText("dome barn"), AnalysedText("dome")])
    assert rarity.weights(AnalysedText("hill").content_words, ()) == rarity.weights(
        AnalysedText("barn").content_words, ()
    )
    assert TermRarity([]).weights(AnalysedText("hill").content_words, {"hill"}) == (math.log(2), math.log(2))


def test_character_counts_half_of_the_mean_of_its_bigrams() -> None:
    rarity = TermRarity([AnalysedText("圆顶"), AnalysedText("圆顶开")])
    middle = AnalysedText("圆顶开").content_words[1]
    assert rarity.weights([middle], ())[1] == pytest.approx(0.5 * (math.log1p(2 / 2) + math.log1p(2 / 1)) / 2)


def test_share_of_nothing_is_everything() -> None:
    assert TermRarity([AnalysedText("dome")]).share((), ()) == 1.0
