"""A conversation: what is typed becomes a command, or a question that is asked together with what was said before.

Knows neither terminal nor service. Only whole answers are remembered, and never the reasoning behind them.
"""

import math
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from enum import StrEnum

from pydantic import BaseModel

from kb.values.chat import Turn
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

    Attributes:
        history: Whole exchanges in which something was answered, oldest first.
        last: The latest whole answer, be it that there is none in the documents.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.history: tuple[Turn, ...] = ()
        self.last: schemas.Answer | None = None

    def ask(self, question: str) -> Generator[BaseModel, None, None]:
        """Asks a question. Closing the generator stops the answer, and nothing of it is remembered."""
        with closing(self._ask(question, self.history)) as bodies:
            for body in bodies:
                if isinstance(body, schemas.Answer):
                    self._remember(question, body)
                yield body

    def clear(self) -> None:
        """Forgets everything."""
        self.history, self.last = (), None

    def _remember(self, question: str, answer: schemas.Answer) -> None:
        self.last = answer
        if answer.answer and answer.finish_reason in ("stop", "length"):
            self.history = (*self.history, Turn(question, answer.answer))[-HISTORY_TURNS:]


def reasons(answer: schemas.Answer, min_evidence: float | None = None) -> Iterator[str]:
    """Says why an answer is as it is, apart from the reasoning of the model.

    Args:
        min_evidence: How likely an answer must be to be given, in 0…1; None: not known.
    """
    if answer.finish_reason == "no_evidence":
        yield from _refusal(answer, min_evidence)
    if end := early_end(answer):
        yield f"{end}."
    if answer.unanswered:
        yield f"Nothing was found that answers: {'; '.join(answer.unanswered)}"
    if left_out := no_room(answer.left_out):
        yield f"{left_out}."
    if answer.index.stale:
        yield f"Left out, because changed or gone and not read anew in time: {', '.join(answer.index.stale)}."


def early_end(answer: schemas.Answer) -> str:
    """Says how an answer that was begun ended otherwise than it should; empty if it did not."""
    match answer.finish_reason:
        case "length":
            return "The answer reached its length limit and stops there"
        case "cancelled":
            return "The answer was broken off"
        case "stop" if not answer.answerable:
            return "The model wrote nothing"
    return ""


def no_room(left_out: schemas.LeftOut) -> str:
    """Says what the model did not see for lack of room; empty if it saw all."""
    numbers = [str(number) for number in left_out.passages]
    what = [_counted(left_out.turns, "earlier turn")] if left_out.turns else []
    if numbers:
        what.append(f"{'passage' if len(numbers) == 1 else 'passages'} {', '.join(numbers)}")
    return f"The model did not see {' and '.join(what)}, for lack of room" if what else ""


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _refusal(answer: schemas.Answer, min_evidence: float | None) -> Iterator[str]:
    if not answer.passages:
        yield "The model was not asked, because nothing was found at all."
        return
    if answer.model:
        yield "The model was asked whether what was found holds an answer; with that, too little speaks for it."
    else:
        yield "The model was not asked, because what was found does not seem to hold an answer."
    needed = "" if min_evidence is None else f", and {min_evidence:g} is needed (KB_MIN_EVIDENCE)"
    # Rounded down, so that what was too little never looks like enough.
    yield f"The evidence is {math.floor(answer.evidence * 100) / 100:.2f} of 1{needed}; see /sources."
