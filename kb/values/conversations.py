"""Conversations that are kept: frozen values."""

import datetime
from dataclasses import dataclass
from typing import Literal

from kb.values.answers import Citation

Standing = Literal["there", "changed", "gone"]
"""Of a quote: it stands in its document; the document no longer says it; the document is no longer indexed."""


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A question and its answer, without what the model thought or was given to read.

    Attributes:
        finish_reason: Of the answer; see `kb.values.answers.FinishReason`.
        citations: A quote is empty where its document was forgotten at the user's wish.
    """

    question: str
    answer: str
    citations: tuple[Citation, ...] = ()
    model: str = ""
    finish_reason: str = "stop"
    asked_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A conversation as it is listed.

    Attributes:
        title: The first question, or what it was renamed to; empty before the first one.
        changed_at: When a turn was added.
        turns: How many.
    """

    id: str
    title: str
    changed_at: datetime.datetime
    turns: int


@dataclass(frozen=True, slots=True)
class KeptConversation:
    """A conversation with its turns, oldest first."""

    info: ConversationInfo
    turns: tuple[KeptTurn, ...]
