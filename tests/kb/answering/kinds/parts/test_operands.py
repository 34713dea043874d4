import datetime
from dataclasses import replace
from decimal import Decimal

from kb.answering.kinds.parts.asking_for_numbers import asking_for_numbers, with_numbers
from kb.answering.kinds.parts.operands import copied_numbers, days_given
from kb.values.passages import Passage
from tests.kb.answering.kinds.lookup_harness import passage

TABLE = "| 项目 | 2023 年（万元） | 2024 年（万元） |\n| --- | --- | --- |\n| 修缮 | 12.7 | 29.3 |"


def names(reply: str, *texts: str | Passage) -> list[str]:
    passages = [passage(each, n) if isinstance(each, str) else each for n, each in enumerate(texts, start=1)]
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


WINTERS = "The mean brightness was 214 rayleighs.\n\nIn the second winter the mean brightness was 263 rayleighs."


def test_number_without_a_name_is_of_what_its_sentence_says() -> None:
    first, second = copied_numbers(
        "214 rayleighs\n263 rayleighs", [passage(WINTERS)], "What is the average brightness?"
    )
    assert first.operand.name == "The mean brightness was 214 rayleighs."
    assert (second.operand.written, second.operand.is_quoted) == ("263 rayleighs", True)


def test_number_without_a_name_must_have_to_do_with_the_question() -> None:
    assert copied_numbers("214 rayleighs", [passage(WINTERS)], "How heavy is the lamp?") == []


def test_number_without_a_name_is_not_taken_from_a_table() -> None:
    rows = "Item 2023 (t) 2024 (t)\nEnergy 38.8 33.6\nRepairs 12.7 29.3"
    assert copied_numbers("33.6 t - 29.3 t = 4.3 t", [passage(rows)], "How much more are the repairs of 2024?") == []
    lines = [passage("- Rent: 500 €", 1), passage("- Heating of 2024: 80 €", 2)]
    assert len(copied_numbers("500 € + 80 €", lines, "What do rent and heating cost?")) == 2


def test_numbers_of_a_sum_are_read_and_not_its_result() -> None:
    text = "There are 16 beds in the house. The barn has 22 beds. The school has 38 beds."
    reply = "Together there are 16 + 22 = 38 beds."
    written = [each.operand.written for each in copied_numbers(reply, [passage(text)], "How many beds are there?")]
    assert written == ["16", "22"]


def test_numbers_of_a_quotient_are_no_names_of_each_other() -> None:
    text = "全站用电 41.6 兆瓦时，其\n中太阳能供了 36.9 兆瓦时。"
    reply = "太阳能占全站用电的百分比：36.9/41.6≈88.5%"
    copied = copied_numbers(reply, [passage(text)], "太阳能占全站用电的百分之几？")
    assert [each.operand.amount.value for each in copied] == [Decimal("36900000"), Decimal("41600000")] or [
        each.operand.written for each in copied
    ] == ["36.9", "41.6"]
    assert {each.operand.name for each in copied} == {"全站用电 41.6 兆瓦时，其中太阳能供了 36.9 兆瓦时。"}


def test_same_number_twice_on_a_line_is_one() -> None:
    text = "Lantern I has 1,024 × 1,024 pixels. Lantern II has 2,048 × 2,048 pixels."
    reply = "Lantern I: 1,024 × 1,024 pixels\nLantern II: 2,048 × 2,048 pixels"
    assert names(reply, text) == ["Lantern I", "Lantern II"]


def test_numbers_of_a_written_answer_are_read() -> None:
    text = "The guest house has 16 beds. The second house, in the hollow, has 22 beds."
    reply = (
        "To find it, we add:\n\n1. The guest house has 16 beds.\n2. The second house has 22 beds.\n\nSo it has 38 beds."
    )
    copied = copied_numbers(reply, [passage(text)], "How many beds do the houses have altogether?")
    assert [each.operand.written for each in copied] == ["16 beds", "22 beds"]
    text = "2024 年接待访客 612 人，2023 年是 548 人。"
    copied = copied_numbers("2023年和2024年一共接待了612+548=1160人。", [passage(text)], "一共接待了多少访客？")
    assert [each.operand.written for each in copied] == ["612", "548"]


def test_day_of_a_document_stands_in_its_name() -> None:
    meeting = replace(passage("The winch was chosen."), title="Meeting, 2025-03-11")
    assert names("meeting: 2025-03-11", meeting) == ["meeting"]
    assert with_numbers([meeting]) == [meeting]


def test_days_of_the_question_are_given() -> None:
    (day,) = days_given("How many days lie between the meeting and 8 April 2025?")
    assert day.amount.day == datetime.date(2025, 4, 8)
