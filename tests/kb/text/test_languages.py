import pytest

from kb.text.languages import asked_in, language


@pytest.mark.parametrize(
    ("text", "expected"),
    [("What is it?", "en"), ("这是什么？", "zh"), ("什么是 SQLite？", "zh"), ("12 + 3", "en"), ("", "en")],
)
def test_language(text: str, expected: str) -> None:
    assert language(text) == expected
    assert asked_in(text) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who wrote 红楼梦?", "en"),
        ("Kubernetes ConfigMap 怎么挂载？", "zh"),
        ("红楼梦的作者", "zh"),
    ],
)
def test_the_words_that_ask_tell_the_language_of_a_question(question: str, expected: str) -> None:
    assert asked_in(question) == expected
