import pytest

from kb.citing.opposites import directions, is_opposite


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("More than 40 people can stay.", "Fewer than 40 people can stay."),
        ("The rent increased by 12%.", "The rent fell by 12%."),
        ("All members may use the room.", "Only members may use the room."),
        ("It opens at nine in the morning.", "It opens at nine in the evening."),
        ("It is the oldest dome.", "It is the youngest dome."),
        ("大厅可容纳多于40人。", "大厅可容纳少于40人。"),
        ("房租涨了12%。", "房租跌了12%。"),
        ("上午9点打开。", "下午9点打开。"),
        ("不超过40人。", "超过40人。"),
    ],
)
def test_one_word_in_the_place_of_its_opposite_is_noticed(sentence: str, quote: str) -> None:
    assert is_opposite(sentence, quote)
    assert is_opposite(quote, sentence)
    assert not is_opposite(sentence, sentence)


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("It opens at nine.", "It opens at nine in the evening."),
        ("More than 40 people can stay.", "At least 41 people can stay."),
        ("It rose.", "First it rose, then it fell."),
        ("房租涨了12%。", "房租提高了12%。"),
    ],
)
def test_a_word_left_out_another_word_or_both_are_no_contradiction(sentence: str, quote: str) -> None:
    assert not is_opposite(sentence, quote)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("It lies to the northwest.", "北西"),
        ("The southern lake and the east wing", "南东"),
        ("The weather at Easter is best.", ""),
        ("水库在村子的东南边，路向北。", "东南北"),
        ("这是什么东西？", ""),
    ],
)
def test_points_of_the_compass_are_found(text: str, named: str) -> None:
    assert directions(text) == set(named)
