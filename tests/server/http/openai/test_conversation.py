"""Messages of chat clients → a question with what was said before."""

import pytest

from kb.errors import InvalidRequest
from kb.values.chat import Message, Turn
from server.http.openai.conversation import (
    MAX_HISTORY_CHARS,
    MAX_TURNS,
    plain_messages,
    question_and_history,
    wishes_of,
)
from server.http.openai.schemas import ChatMessage


def messages(*said: tuple[str, object]) -> list[ChatMessage]:
    return [ChatMessage.model_validate({"role": role, "content": content}) for role, content in said]


def test_last_words_of_the_user_are_the_question_and_turns_before_are_history() -> None:
    plain = plain_messages(
        messages(
            ("system", "Be brief."),
            ("user", "Is there a dome?"),
            ("assistant", "Yes. [1]"),
            ("user", "Is it"),
            ("user", "green?"),
            ("assistant", "No."),
            ("assistant", "It is red."),
            ("user", "When"),
            ("user", "does it open?"),
        )
    )
    assert question_and_history(plain) == (
        "When\ndoes it open?",
        [Turn("Is there a dome?", "Yes."), Turn("Is it\ngreen?", "No.\nIt is red.")],
    )
    assert wishes_of(plain) == "Be brief."


def test_only_text_is_read() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    plain = plain_messages(
        messages(
            ("developer", "Be brief."),
            ("user", [{"type": "text", "text": "What is"}, image, {"type": "text", "text": "this?"}]),
            ("assistant", None),
            ("tool", "42"),
        )
    )
    assert plain == [Message("system", "Be brief."), Message("user", "What is\nthis?")]


@pytest.mark.parametrize(
    "said",
    [
        "Yes. [1][2]",
        "<think>Let me see.</think>\nYes.",
        '<details type="reasoning" done="true">\n> Hm.\n</details>\nYes. [1]',
        "Yes. [1]\n\n---\n\n- [1] [guide.md · Domes](http://127.0.0.1/#document=d1): “Yes.”\n- [2] [x](y): “z”",
        "Yes.\n\n---\n\n- [guide.md](http://127.0.0.1/#document=d1)",
    ],
)
def test_answers_come_back_without_what_was_added_to_them(said: str) -> None:
    plain = plain_messages(messages(("user", "Is there?"), ("assistant", said), ("user", "And?")))
    assert question_and_history(plain) == ("And?", [Turn("Is there?", "Yes.")])


@pytest.mark.parametrize(
    "said", [[("system", "Be brief.")], [("assistant", "Yes.")], [("user", " ")], [("user", [{"type": "image_url"}])]]
)
def test_without_words_of_the_user_there_is_no_question(said: list[tuple[str, object]]) -> None:
    with pytest.raises(InvalidRequest, match="no text"):
        plain_messages(messages(*said))


def test_of_a_long_conversation_the_newest_turns_are_kept() -> None:
    said = [(role, f"{role} {n}") for n in range(MAX_TURNS + 10) for role in ("user", "assistant")]
    _, history = question_and_history(plain_messages(messages(*said, ("user", "And?"))))
    assert len(history) == MAX_TURNS
    assert history[-1] == Turn(f"user {MAX_TURNS + 9}", f"assistant {MAX_TURNS + 9}")
    long = [("user", "a" * MAX_HISTORY_CHARS), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    _, history = question_and_history(plain_messages(messages(*long, ("user", "And?"))))
    assert history == [Turn("c", "d")]
