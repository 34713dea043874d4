import pytest

from kb.answering.sources.wording import (
    MOST_LEADS,
    MOST_WORDINGS,
    asking_for_leads,
    asking_for_words,
    wordings_in,
)


def test_reply_is_read_line_by_line() -> None:
    reply = "1. Net sales\n- Research and development:\n\n* **Net sales**\n" + "a whole sentence " * 9
    assert wordings_in(reply) == ["Net sales", "Research and development"]
    assert wordings_in("1、研发费用\n2、营业成本") == ["研发费用", "营业成本"]
    assert wordings_in("10-K\n5G") == ["10-K", "5G"]
    assert len(wordings_in("\n".join(map(str, range(40))))) == MOST_WORDINGS
    assert len(wordings_in("\n".join(map(str, range(40))), MOST_LEADS)) == MOST_LEADS


@pytest.mark.parametrize(("question", "word"), [("How tight?", "Question"), ("多紧？", "问题")])
def test_model_is_asked_in_the_language_of_the_question(question: str, word: str) -> None:
    (words,), (leads,) = asking_for_words(question), asking_for_leads(question, "<source>See Table 6.</source>")
    assert f"{word}" in words.content
    assert question in words.content
    assert leads.content.startswith("<source>See Table 6.</source>")
    assert question in leads.content
