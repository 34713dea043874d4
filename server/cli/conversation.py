"""A conversation: what is typed becomes a command, or a question that is asked together with what was said before.

Knows neither terminal nor service. Only whole answers are remembered, and never the reasoning behind them.
"""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from enum import StrEnum

from pydantic import BaseModel

from kb.values.chat import Turn
from server.cli.keeping import Keeping
from server.http import schemas

HISTORY_TURNS = 6
"""Turns that are sent along; the prompt takes as many of them as it has room for, the newest first."""

Ask = Callable[[str, Sequence[Turn]], Generator[BaseModel, None, None]]

_COMMAND_LIKE = re.compile(r"/[A-Za-z]*")
_SLASHES = "／、"
"""What the key of the slash writes in Chinese."""


class Command(StrEnum):
    """What can be typed instead of a question."""

    SOURCES = "/sources"
    WHY = "/why"
    CLEAR = "/clear"
    HELP = "/help"
    EXIT = "/exit"
    UNKNOWN = ""
    """It looks like a command and is none."""


_WRITINGS = {command.value: command for command in Command if command is not Command.UNKNOWN}
_WRITINGS |= dict.fromkeys(("exit", "quit", "/quit"), Command.EXIT)


def command_of(text: str) -> Command | None:
    """The command that a text is, in any case; None for a question."""
    text = f"/{text[1:]}" if text.startswith(tuple(_SLASHES)) else text
    found = _WRITINGS.get(text.lower())
    return Command.UNKNOWN if found is None and _COMMAND_LIKE.fullmatch(text) else found


class Conversation:
    """Questions that build on each other.

    Args:
        ask: Asks a question with earlier turns, oldest first; gives the bodies of the answer's events, the last of them
            the whole `schemas.Answer`.
        keeping: Keeps what is answered, and what it goes on from; None: nothing is kept.

    Attributes:
        history: Whole exchanges in which something was answered, oldest first.
        last: The latest whole answer, be it that there is none in the documents.
    """

    def __init__(self, ask: Ask, keeping: Keeping | None = None) -> None:
        self._ask = ask
        self._keeping = keeping
        self.history = keeping.history[-HISTORY_TURNS:] if keeping else ()
        self.last: schemas.Answer | None = None
        self._asked = ""

    def ask(self, question: str) -> Generator[BaseModel, None, None]:
        """Asks a question, or the last one of the document whose number is typed where several were offered.

        Closing the generator stops the answer, and nothing of it is remembered.
        """
        question = self._chosen(question) or question
        with closing(self._ask(question, self.history)) as bodies:
            for body in bodies:
                if isinstance(body, schemas.Answer):
                    self._remember(question, body)
                yield body
                if isinstance(body, schemas.Answer) and self._keeping and _is_whole(body):
                    self._keeping.keep(question, body)

    def clear(self) -> None:
        """Begins anew; what was kept before stays as it is."""
        self.history, self.last = (), None
        if self._keeping:
            self._keeping.begin_anew()

    def _chosen(self, typed: str) -> str | None:
        """The question that was asked back about, with the path of the document that is chosen; None: none is."""
        offered = self.last.documents if self.last and self.last.finish_reason == "choices" else []
        if not (typed.isdecimal() and 1 <= int(typed) <= len(offered)):
            return None
        return f"{self._asked} ({offered[int(typed) - 1].source})"

    def _remember(self, question: str, answer: schemas.Answer) -> None:
        self.last, self._asked = answer, question
        if _is_whole(answer):
            self.history = (*self.history, Turn(question, answer.answer))[-HISTORY_TURNS:]


def _is_whole(answer: schemas.Answer) -> bool:
    return bool(answer.answer) and answer.finish_reason in ("stop", "length")
