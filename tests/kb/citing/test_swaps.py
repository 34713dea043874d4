import pytest

from kb.citing.swaps import is_turned_round, puts_in_place_of

QUOTE = "Ilse Brandt built the second dome for 1250 crowns in 1987, and Anna Meier painted the oven green."
ALL_TERMS = frozenset(("brandt", "meier", "dome", "oven", "green", "crown", "winter", "visitor", "warm", "cloth"))


@pytest.mark.parametrize(
    "sentence",
    [
        "Ilse Brandt painted the oven.",
        "Anna Meier built the second dome.",
        "It was built for 1987 crowns.",
    ],
)
def test_name_or_number_beside_the_word_of_another_is_noticed(sentence: str) -> None:
    assert is_turned_round(sentence, QUOTE)


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("从10到5", "从5到10"),
        ("Brandt beat Meier.", "Meier beat Brandt."),
        ("蒙古军队在1288年打败了陈王朝。", "统治安南的陈王朝在1288年打败了蒙古人。"),
    ],
)
def test_two_that_changed_places_are_noticed(sentence: str, quote: str) -> None:
    assert is_turned_round(sentence, quote)


@pytest.mark.parametrize(
    "sentence",
    [
        QUOTE,
        "In 1987 Ilse Brandt built it.",
        "The second dome was built by Ilse Brandt in 1987 for 1250 crowns.",
        "The oven was painted green by Anna Meier.",
    ],
)
def test_the_same_in_another_order_is_let_through(sentence: str) -> None:
    assert not is_turned_round(sentence, QUOTE)


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("蒙古军队被陈王朝打败了。", "陈王朝打败了蒙古人。"),
        ("陈王朝在1288年打败了蒙古军队。", "1288年，统治安南的陈王朝打败了蒙古人。"),
        ("布兰特建造的穹顶耗资千元。", "耗资千元的穹顶，布兰特建造了两年。"),
    ],
)
def test_the_same_in_another_order_is_let_through_in_chinese(sentence: str, quote: str) -> None:
    assert not is_turned_round(sentence, quote)


def test_a_word_that_both_stand_beside_tells_nothing() -> None:
    assert not is_turned_round("It cost 10 crowns or 20 crowns.", "It cost 10, then 20 crowns.")


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("Many visitors do not require a key.", "Many domes do not require a key."),
        ("它由布兰特建造，耗资1987克朗，当年完工。", "它由布兰特建造，耗资1250克朗，当年完工。"),
    ],
)
def test_a_stretch_exchanged_for_another_is_noticed(sentence: str, quote: str) -> None:
    assert puts_in_place_of(sentence, quote, frozenset(), frozenset(("visitor", "key", "dome")))


@pytest.mark.parametrize(
    ("sentence", "quote", "known"),
    [
        ("Many rooms do not require a key.", "Many domes do not require a key.", ""),  # a paraphrase, for all we know
        ("Many visitors do not require a key.", "Many domes do not require a key.", "visitor"),
        ("Many visitors do not require a key.", "They do not require a key.", ""),
        ("The second dome, in winter, is locked at night.", "The second dome is locked at night.", ""),
    ],
)
def test_a_paraphrase_a_pronoun_or_an_addition_is_no_exchange(sentence: str, quote: str, known: str) -> None:
    assert not puts_in_place_of(sentence, quote, {known}, ALL_TERMS)
