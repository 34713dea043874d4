"""What chat clients ask in the background, for a title, for tags: told from questions, and answered without a search.

The words are those of Open WebUI (`config.py`), Chatbox (`prompts.ts`), LobeHub (`summaryTitle.ts`), LibreChat
(`title.ts`) and Cherry Studio (`prompts.ts`). An administrator may have changed them: the header `X-KB-Task`, which
Open WebUI fills in with `{{TASK}}`, tells for certain. Pure.
"""

import json
import re
from collections.abc import Sequence

from kb.values.chat import Message

TASK_HEADER = "x-kb-task"
"""Names the task; empty for a question."""

MAX_TITLE_CHARS = 40

_SYSTEM_TITLE = re.compile(
    r"professional conversation summarizer|summari[sz]e the user's conversation into a title|AI question rephraser",
    re.IGNORECASE,
)
_PROMPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "title",
        re.compile(
            r"\A(?:### Task:\nGenerate a concise title"
            r"|### Task:\nGenerate a concise, 3-5 word title"
            r"|Based on the chat history, give this conversation a name"
            r"|Provide a concise, 5-word-or-less title)"
        ),
    ),
    ("tags", re.compile(r"\A### Task:\nGenerate 1-3 broad tags")),
    ("follow_up", re.compile(r"\A### Task:\n(?:Predict|Suggest) 3-5 ")),
    ("query", re.compile(r"\A### Task:\nAnalyze the chat history to determine the necessity")),
    ("autocomplete", re.compile(r"\A### Task:\nYou are an autocompletion system")),
    ("other", re.compile(r"\A### Task:\n(?:Generate a detailed prompt for am? image|.*^<chat_history>$)", re.S | re.M)),
)
_REPLIES = {
    "tags": {"tags": []},
    "follow_up": {"follow_ups": []},
    "query": {"queries": []},
    "autocomplete": {"text": ""},
}
_FIRST_WORDS = (
    re.compile(r"^USER: *(?P<words>\S.*)", re.MULTILINE),
    re.compile(r"^user: *(?P<words>\S.*)", re.MULTILINE),
    re.compile(r'"(?:mainText|content)": *(?P<quoted>"(?:[^"\\]|\\.)*")'),
    re.compile(r"```\s*\n(?P<words>\S.*)"),
)


def background_task(messages: Sequence[Message], header: str = "") -> str:
    """What is asked in the background; empty: nothing, it is a question.

    Args:
        header: Value of `TASK_HEADER`.

    Returns:
        `title`, `tags`, `follow_up`, `query`, `autocomplete`, or another word for what only a model can do.
    """
    if header.strip():
        return header.strip().removesuffix("_generation")
    first = messages[0]
    if first.role == "system" and _SYSTEM_TITLE.search(first.content):
        return "title"
    if len(messages) > 1 or first.role != "user":
        return ""
    return next((task for task, prompt in _PROMPTS if prompt.search(first.content)), "")


def cheap_reply(task: str, messages: Sequence[Message]) -> str | None:
    """What a task is answered with at once; None: a model must write it."""
    if task == "title":
        title = _title(messages)
        wants_json = any('"title"' in message.content for message in messages)
        return json.dumps({"title": title}, ensure_ascii=False) if wants_json else title
    return json.dumps(_REPLIES[task]) if task in _REPLIES else None


def _title(messages: Sequence[Message]) -> str:
    """The first question of the conversation that is to get a title, cut short."""
    text = messages[-1].content
    words = next((_words(match) for pattern in _FIRST_WORDS if (match := pattern.search(text))), text)
    words = " ".join(words.split())
    if len(words) <= MAX_TITLE_CHARS:
        return words
    cut = words[:MAX_TITLE_CHARS]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"


def _words(match: re.Match[str]) -> str:
    found = match.groupdict()
    if quoted := found.get("quoted"):
        return str(json.loads(quoted, strict=False))
    return found["words"] or ""
