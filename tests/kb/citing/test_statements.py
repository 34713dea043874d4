import pytest

from kb.citing.statements import statements

QUESTION = "When does the second dome open?"


def found(answer: str) -> list[str]:
    return [answer[slice(*span)] for span in statements(answer, 0, question=QUESTION, ended=True)[0]]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It opens at nine. It is green", ["It opens at nine.", "It is green"]),
        ("Edinburgh", ["Edinburgh"]),
        ("The steps are:\n1. Open it. Wait.\n2. Close it", ["Open it.", "Wait.", "Close it"]),
        ("步骤如下：\n1. 打开圆顶。\n- 关上", ["打开圆顶。", "关上"]),
        ("The second dome opens:\n- at nine", ["at nine"]),
        ("There are two doors:\n- one\n- the other", ["There are two doors:", "one", "the other"]),
        ("# Domes\n\nThe first. \n\n**Note:**\nThe second.", ["The first.", "The second."]),
        (
            "| door | hour |\n| --- | :-: |\n| first | 9. Or 10 |\n| second | 11 |\nDone.",
            ["| first | 9. Or 10 |", "| second | 11 |", "Done."],
        ),
        ("| first | 9 |\n", ["| first | 9 |"]),
        ("Use this:\n```sh\nopen dome. Now\n# 9\n```\nThen wait.", ["Then wait."]),
        ("Wait.\n~~~\nnever closed. Never", ["Wait."]),
        ("> It is open.\n\n---\n\nDone.", ["It is open.", "Done."]),
        ("", []),
    ],
)
def test_what_says_something_is_found(answer: str, expected: list[str]) -> None:
    assert found(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "It opens at nine. So.\n\n1. One. Two\n2. Three\n\n| a | b |\n|---|---|\n| c | d. E |\n| f | g |\nEnd.",
        "Run:\n```\ncode. more\n```\n# Head\nText: more. **Bold:**\nLast",
        "步骤如下：\n- 打开。关上\n- 等待\n\n结束。",
        "| a |\n|",
        "A.\n--",
    ],
)
def test_a_growing_answer_gives_the_same_as_the_whole(answer: str) -> None:
    begin, grown = 0, []
    for length in range(len(answer) + 1):
        spans, begin = statements(answer[:length], begin, question=QUESTION, ended=False)
        grown += spans
    spans, _ = statements(answer, begin, question=QUESTION, ended=True)
    assert [answer[slice(*span)] for span in grown + spans] == found(answer)


def test_a_sentence_is_complete_when_the_next_begins() -> None:
    assert statements("It opens. I", 0, question=QUESTION, ended=False) == ([(0, 9)], 9)
    assert statements("It opens.", 0, question=QUESTION, ended=False) == ([], 0)
    assert statements("| first | 9 |\n|", 0, question=QUESTION, ended=False) == ([], 0)
    assert statements("| first | 9 |\n| s", 0, question=QUESTION, ended=False) == ([(0, 13)], 14)
