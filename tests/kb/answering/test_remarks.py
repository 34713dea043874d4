import pytest

from kb.answering.remarks import NO_EVIDENCE, refusal, without_remark, without_source

REASONS = ["empty", "filters", "stale"]


def test_refusal_is_in_the_language_of_the_question() -> None:
    assert refusal("Why?") == NO_EVIDENCE["en"]
    assert refusal("为什么？") == NO_EVIDENCE["zh"]


@pytest.mark.parametrize("why", REASONS)
@pytest.mark.parametrize("question", ["Why?", "为什么？"])
def test_where_nothing_was_found_the_reason_is_said_in_the_language_of_the_question(why: str, question: str) -> None:
    said = refusal(question, why)
    assert said not in {refusal(question), *(refusal(question, other) for other in REASONS if other != why)}
    assert said.isascii() == question.isascii()


def test_reason_is_the_one_that_there_is() -> None:
    assert "Nothing is indexed yet" in refusal("Why?", "empty")
    assert "filters" in refusal("Why?", "filters")
    assert "changed" in refusal("Why?", "stale")


@pytest.mark.parametrize("question", ["Why?", "为什么？"])
def test_files_that_wait_are_said_where_they_may_hold_the_answer(question: str) -> None:
    said = refusal(question, "empty", pending=3)
    assert said.startswith(refusal(question, "empty"))
    assert "3" in said.removeprefix(refusal(question, "empty"))
    assert without_remark(said) == ""


def test_parts_without_a_source_are_named() -> None:
    assert without_source("Who? Why?", ["Who?", "Why?"]) == "The documents hold no source for: “Who?”; “Why?”"
    assert without_source("谁建的？", ["谁建的？"]) == "文档中没有找到依据的问题：“谁建的？”"


@pytest.mark.parametrize("question", ["Why?", "为什么？"])
def test_remark_can_be_taken_off_again(question: str) -> None:
    assert without_remark(f"Nine.\n\n{without_source(question, [question])}") == "Nine."
    assert without_remark("Nine.\n\n" + without_source(question, ["Who\nis it?"])) == "Nine."
    assert without_remark("Nine.\n\nTen.") == "Nine.\n\nTen."
    assert without_remark(refusal(question)) == without_remark(refusal(question, "empty")) == ""


@pytest.mark.parametrize("filler", [" ", "\n", "x "])
def test_long_answers_cost_next_to_nothing(filler: str) -> None:
    answer = "It opens at nine." + filler * 200_000 + "."
    assert without_remark(answer) == answer
    assert without_remark(answer + "\n\n" + without_source("Why?", ["Why?"])) == answer
