import pytest

from kb.answering.kinds.inventory.topics import MarkedQuestion, Topics

TOPICS = Topics(
    [
        MarkedQuestion("Which of my files mention the boiler?", ("boiler",)),
        MarkedQuestion("How many documents do I have about tea?", ("tea",)),
        MarkedQuestion("哪些文件提到了热水器？", ("热水器",)),
        MarkedQuestion("哪些文档是关于铜的？", ("铜",)),
    ]
)


@pytest.mark.parametrize(
    ("question", "topics"),
    [
        ("How many files do I have?", []),
        ("Which documents mention the heat pump?", ["heat", "pump"]),
        ("Which file mentions X-ray plates?", ["X-ray", "plates"]),
        ("哪些文件提到了圆顶？", ["圆顶"]),
        ("哪些文档是关于茶的？", ["茶"]),
        ("哪些文檔提到了圓頂？", ["圆顶"]),
        ("哪些文件？", []),
        ("哪些文件提到了“手动泵”？", ["手动泵"]),
        ("Which files mention “How many documents”?", ["How many documents"]),
    ],
)
def test_topic_is_what_is_said_beside_what_such_questions_are_made_of(question: str, topics: list[str]) -> None:
    assert TOPICS.of(question) == topics
