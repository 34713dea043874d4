"""What chat clients send in the background, as they send it, and questions that look like it."""

import json

import pytest

from kb.values.chat import Message
from server.http.openai.background import MAX_TITLE_CHARS, background_task, cheap_reply

HISTORY = "<chat_history>\nUSER: How many beds are there?\nASSISTANT: There are 16. [1]\n</chat_history>"
OPEN_WEBUI_TITLE = (
    "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Output:\nJSON"
    f' format: {{ "title": "your concise title here" }}\n### Chat History:\n{HISTORY}'
)
OPEN_WEBUI_TAGS = f"### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.\n{HISTORY}"
CHATBOX = (
    "Based on the chat history, give this conversation a name.\nKeep it short - 10 characters max, no quotes.\n\n"
    "Here's the conversation:\n\n```\nHow many beds are there?\n---------\nThere are 16.\n```\n\nThe name is:"
)
CHERRY = (
    "You are an assistant skilled in conversation. You need to summarize the user's conversation into a title within 10"
    " words."
)


def user(text: str) -> list[Message]:
    return [Message("user", text)]


@pytest.mark.parametrize(
    ("messages", "task"),
    [
        (user(OPEN_WEBUI_TITLE), "title"),
        (user(OPEN_WEBUI_TAGS), "tags"),
        (user(f"### Task:\nSuggest 3-5 relevant follow-up questions\n{HISTORY}"), "follow_up"),
        (user("### Task:\nAnalyze the chat history to determine the necessity of search"), "query"),
        (user("### Task:\nYou are an autocompletion system. Continue"), "autocomplete"),
        (user("### Task:\nGenerate a detailed prompt for am image"), "other"),
        (user(f"### Task:\nWhat an administrator wrote\n{HISTORY}"), "other"),
        (user(CHATBOX), "title"),
        (user("Provide a concise, 5-word-or-less title for the conversation, using title case"), "title"),
        ([Message("system", CHERRY), *user("x")], "title"),
        ([Message("system", "You are a professional conversation summarizer. Generate"), *user("user: x")], "title"),
        (user("Give me a title for chapter 3"), ""),
        (user("### Task:\nWhat does the task list in the manual say?"), ""),
        (user("What are the tags in the FAQ?"), ""),
        ([Message("system", "Answer briefly."), *user("How many beds are there?")], ""),
        ([*user("Hello"), Message("assistant", "Hello"), *user(OPEN_WEBUI_TITLE)], ""),
    ],
)
def test_tasks_are_told_from_questions(messages: list[Message], task: str) -> None:
    assert background_task(messages) == task


@pytest.mark.parametrize(
    ("header", "task"),
    [("title_generation", "title"), ("moa_response_generation", "moa_response"), ("", ""), (" ", "")],
)
def test_header_tells_for_certain(header: str, task: str) -> None:
    assert background_task(user("How many beds are there?"), header) == task


@pytest.mark.parametrize(
    ("task", "reply"),
    [
        ("tags", {"tags": []}),
        ("follow_up", {"follow_ups": []}),
        ("query", {"queries": []}),
        ("autocomplete", {"text": ""}),
    ],
)
def test_lists_are_answered_with_empty_ones(task: str, reply: object) -> None:
    assert json.loads(cheap_reply(task, user(OPEN_WEBUI_TAGS)) or "") == reply


@pytest.mark.parametrize(
    ("messages", "title"),
    [
        (user(OPEN_WEBUI_TITLE), '{"title": "How many beds are there?"}'),
        (user(CHATBOX), "How many beds are there?"),
        ([Message("system", CHERRY), *user('[{"role":"user","mainText":"几点\\"开放\\"？"}]')], '几点"开放"？'),
        ([Message("system", CHERRY), *user("Beds\nin the house")], "Beds in the house"),
        ([Message("system", "summarizer"), *user("user: Beds?\nassistant: 16")], "Beds?"),
        (user("words " * 20), "words words words words words words…"),
        (user("字" * 60), "字" * MAX_TITLE_CHARS + "…"),
    ],
)
def test_title_is_the_first_question(messages: list[Message], title: str) -> None:
    assert cheap_reply("title", messages) == title


def test_what_needs_a_model_has_no_cheap_reply() -> None:
    assert cheap_reply("moa_response", user("x")) is None
    assert cheap_reply("other", user("x")) is None
