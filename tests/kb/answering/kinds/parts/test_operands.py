from kb.answering.kinds.parts.operands import asking_for_numbers, copied_numbers, with_numbers
from tests.kb.answering.kinds.lookup_harness import passage

TABLE = "| 项目 | 2023 年（万元） | 2024 年（万元） |\n| --- | --- | --- |\n| 修缮 | 12.7 | 29.3 |"


def names(reply: str, *texts: str) -> list[str]:
    passages = [passage(text, n) for n, text in enumerate(texts, start=1)]
    return [copied.operand.name for copied in copied_numbers(reply, passages)]


def test_number_that_no_passage_has_is_left_out() -> None:
    reply = "red lamp: 12.50 €\nblue lamp: 10 €\ntogether: 12.50 + 9 = 21.50 €\nI think so."
    assert names(reply, "The red lamp costs 12.50 € and the blue one 9 €.") == ["red lamp"]


def test_number_with_another_unit_is_left_out() -> None:
    assert names("lamp: 12 kg", "The lamp costs 12 €.") == []


def test_number_is_cited_where_it_stands() -> None:
    one, other = passage("The barn has 9 beds.", 1), passage("The school has 22 beds.", 2)
    assert [copied.passage for copied in copied_numbers("school: 22 beds\nbarn: 9 beds", [one, other])] == [other, one]


def test_unit_may_stand_in_the_head_of_the_table() -> None:
    first, second = copied_numbers("- 2023年修缮：12.7 万元\n- 2024年修缮：29.3 万元", [passage(TABLE)])
    assert (first.operand.written, second.operand.written) == ("12.7 万元", "29.3 万元")
    assert second.operand.amount.value == 293_000


def test_part_of_a_figure_is_not_that_figure() -> None:
    assert names("lamp: 2.5 万元", "The lamp costs 12.50 in 万元.") == []


def test_same_number_of_the_same_thing_counts_once() -> None:
    assert names("lamp: 9 €\nLamp: 9 €", "The lamp costs 9 €.") == ["lamp"]


def test_only_passages_with_numbers_are_shown() -> None:
    told = asking_for_numbers(
        "What do they cost?", [passage("The lamp is red."), passage("It costs 9 €.", 2)], len, 600
    )
    assert "It costs 9 €." in told
    assert "The lamp is red." not in told
    assert with_numbers([passage("The lamp is red.")]) == []


def test_number_under_the_name_of_another_thing_is_left_out() -> None:
    meals = "Breakfast is 25 € and dinner is 48 €."
    assert names("breakfast: 25 €\nlunch: 48 €", meals) == ["breakfast"]
    assert names("早餐：25 €\n晚餐：48 €", meals) == ["早餐", "晚餐"], "in another language names are others"


def test_number_that_several_passages_have_is_cited_where_its_name_stands() -> None:
    one, other = passage("The barn has 9 beds.", 1), passage("The school has 9 beds.", 2)
    assert [copied.passage for copied in copied_numbers("school: 9 beds", [one, other])] == [other]


def test_one_place_is_not_of_two_things() -> None:
    reply = "repairs of 2023: 29.3 t\nrepairs of 2024: 29.3 t"
    assert len(copied_numbers(reply, [passage("Repairs of 2023 and 2024: 29.3 t.")])) == 1
    assert len(copied_numbers(reply, [passage("Repairs of 2023: 29.3 t. Repairs of 2024: 29.3 t.")])) == 2
