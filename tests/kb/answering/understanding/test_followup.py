import pytest

from kb.answering.understanding.decide import Decision
from kb.answering.understanding.followup import MAX_ANSWER_CHARS, MAX_QUESTION_CHARS, Decide, self_contained
from kb.values.chat import Turn

LIGHTNING = Turn("Which instrument was damaged by lightning in June 2024?", "The photometer Heron was. It is old.")
WITHERING = Turn("云针在 2024 年萎凋了多长时间？", "云针萎凋了 11 个小时。窗子朝北。")


def parallel(_: str) -> Decision:
    return Decision(leans=True)


def reference(_: str) -> Decision:
    return Decision(leans=True, refers=True)


def after(turn: Turn, question: str, decide: Decide = parallel) -> str:
    """What is put before a question that leans on a turn."""
    whole = self_contained(question, [turn], decide)
    assert whole.endswith(question)
    return whole.removesuffix(question).strip()


def test_question_without_history_stays_as_it_is() -> None:
    assert self_contained("And in 2023?", [], reference) == "And in 2023?"


def test_question_that_stands_alone_is_left_alone() -> None:
    turns = [LIGHTNING, WITHERING]
    assert self_contained("Who is Bram?", turns, lambda question: Decision()) == "Who is Bram?"


@pytest.mark.parametrize("question", ["Who built it?", "Why?", "它是谁做的？"])
def test_reference_brings_earlier_question_and_first_sentence_of_its_answer(question: str) -> None:
    assert after(LIGHTNING, question, reference) == f"{LIGHTNING.question}\nThe photometer Heron was."
    assert after(WITHERING, question, reference) == f"{WITHERING.question}\n云针萎凋了 11 个小时。"


@pytest.mark.parametrize("question", ["What about Gull Ridge?", "露芽呢？"])
def test_parallel_question_brings_the_earlier_one_without_its_answer(question: str) -> None:
    assert after(LIGHTNING, question) == LIGHTNING.question
    assert after(WITHERING, question) == WITHERING.question


@pytest.mark.parametrize(
    ("earlier", "question", "carried"),
    [
        ("How many nights were clear in 2024?", "And in 2023?", "How many nights were clear in 2023?"),
        ("How bright was the winter of 2022-23?", "And 2023-24?", "How bright was the winter of 2023-24?"),
        ("What came on 21 December 2022?", "And on 14 January 2024?", "What came on 14 January 2024?"),
        ("Sales on June 25, 2022?", "And in the quarter ended April 1, 2023?", "Sales on April 1, 2023?"),
        ("Who met on 2025-03-11?", "And on 2025-04-08?", "Who met on 2025-04-08?"),
        ("How high was the first wave?", "What about the second wave?", "How high was the second wave?"),
        ("What is done in step 2?", "And in step 4?", "What is done in step 4?"),
        ("Does the P3 show E17?", "And E34?", "Does the P3 show E34?"),
        ("How fast is the P3?", "E34?", "How fast is the P3?"),
        ("Is the P3 faster than the P2?", "And the P1?", "Is the P3 faster than the P2?"),
        ("Metres per second in the first?", "And the third?", "Metres per second in the third?"),
        ("How many nights were clear in 2024?", "And in 2022 and 2023?", "How many nights were clear in 2024?"),
        ("Was 5 May warm for a 5 May?", "And 14 June?", "Was 14 June warm for a 14 June?"),
        ("2024 年有多少个晴夜？", "那2023年呢？", "2023 年有多少个晴夜？"),
        ("二〇二四年有多少个晴夜？", "二〇二三年呢？", "二〇二三年有多少个晴夜？"),
        ("七月二十五日去了哪里？", "八月三日呢？", "八月三日去了哪里？"),
        ("第一章讲什么？", "第十二章呢？", "第十二章讲什么？"),
        ("《慢灯》是谁写的？", "那《咸的信》呢？", "《咸的信》是谁写的？"),
        ("Were the nights of 2024 clear?", "那2023年呢？", "Were the nights of 2023 clear?"),
    ],
)
def test_what_is_new_takes_the_place_of_its_like(earlier: str, question: str, carried: str) -> None:
    assert after(Turn(earlier, "Yes."), question) == carried


def test_reference_leaves_the_earlier_question_as_it_was() -> None:
    assert after(Turn("Who designed the P3?", ""), "Did he design the P2?", reference) == "Who designed the P3?"


def test_chain_of_turns_keeps_its_topic() -> None:
    turns = [Turn("What does the P3 weigh?", "31.5 kg."), Turn("How fast can it climb?", "At 2 m/s.")]
    assert self_contained("And the P2?", turns, lambda text: Decision(leans=True, refers=" it " in text)) == (
        "What does the P2 weigh?\n31.5 kg.\nHow fast can it climb?\nAnd the P2?"
    )


def test_chain_ends_where_the_topic_changed() -> None:
    turns = [LIGHTNING, Turn("How much does a bed with three meals cost?", "36 crowns.")]
    whole = self_contained("And for children?", turns, lambda text: Decision(leans=text.startswith("And")))
    assert whole == f"{turns[1].question}\nAnd for children?"


def test_what_is_carried_is_bounded_however_long_the_conversation() -> None:
    turns = [Turn("What about the instruments? " * 100, "It is a long story " * 100)] * 5
    assert len(after(turns[0], "Why?", reference)) <= MAX_QUESTION_CHARS + MAX_ANSWER_CHARS + 1
    assert len(self_contained("Why?", turns, reference)) <= MAX_QUESTION_CHARS + MAX_ANSWER_CHARS + 6


def test_question_comes_back_character_by_character() -> None:
    question = "  ２０２３年 呢？ "
    assert self_contained(question, [WITHERING], reference).endswith(question)
