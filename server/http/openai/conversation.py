"""The messages of a chat client → a question with earlier turns, or messages for the model itself.

Marks, lists of sources and reasoning, which earlier answers carry when they come back, are taken off. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from kb.errors import InvalidRequest
from kb.values.chat import Message, Turn
from server.http.openai.footnotes import without_footnotes
from server.http.openai.marks import without_marks
from server.http.openai.schemas import ChatMessage

MAX_TURNS = 50
MAX_HISTORY_CHARS = 100_000
"""Of longer conversations the newest turns are kept: clients send all of them, ever again."""

_REASONING = re.compile(r"<think>.*?</think>\s*|<details type=\"reasoning\".*?</details>\s*", re.DOTALL)
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def plain_messages(messages: Iterable[ChatMessage]) -> list[Message]:
    """Text alone, up to the last message of the user; calls of tools and what came of them are left out.

    Raises:
        InvalidRequest: The user says nothing.
    """
    plain = [_plain(message) for message in messages if message.role in _ROLES]
    while plain and plain[-1].role != "user":
        plain.pop()
    if not plain or not plain[-1].content.strip():
        raise InvalidRequest("messages: the last message of the user has no text", "send a question as text")
    return plain


def wishes_of(messages: Sequence[Message]) -> str:
    """What a system says, or whoever has made the client: of a library, wishes for the form of its answers."""
    return "\n".join(message.content for message in messages if message.role == "system")


def question_and_history(messages: Sequence[Message]) -> tuple[str, list[Turn]]:
    """What is asked, and the earlier turns, oldest first.

    Args:
        messages: From `plain_messages`. What a system says is not among them: see `wishes_of`.
    """
    said = [message for message in messages if message.role != "system"]
    asked = list(takewhile(lambda message: message.role == "user", reversed(said)))
    question = "\n".join(message.content for message in reversed(asked))
    turns: list[Turn] = []
    for message in said[: len(said) - len(asked)]:
        if message.role == "user" and (not turns or turns[-1].answer):
            turns.append(Turn(message.content, ""))
        elif turns and message.role == "user":
            turns[-1] = Turn(f"{turns[-1].question}\n{message.content}", "")
        elif turns:
            turns[-1] = Turn(turns[-1].question, "\n".join(filter(None, [turns[-1].answer, message.content])))
    return question, _newest(turns)


def _newest(turns: Sequence[Turn]) -> list[Turn]:
    kept: list[Turn] = []
    chars = 0
    for turn in reversed(turns[-MAX_TURNS:]):
        chars += len(turn.question) + len(turn.answer)
        if chars > MAX_HISTORY_CHARS:
            break
        kept.insert(0, turn)
    return kept


def _plain(message: ChatMessage) -> Message:
    role = _ROLES[message.role]
    text = message.text()
    if role == "assistant":
        return Message("assistant", without_marks(without_footnotes(_REASONING.sub("", text))).strip())
    return Message("system" if role == "system" else "user", text)
