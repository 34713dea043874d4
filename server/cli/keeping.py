"""Keeps a conversation in the terminal turn by turn, and goes on with the latest one; knows no terminal."""

from kb.values.chat import Turn
from server.client.service import Service
from server.http import schemas


class Keeping:
    """The conversation that is kept.

    Args:
        service: Keeps it.
        goes_on: Whether it is the latest one that was kept; else it begins with the first turn.

    Attributes:
        history: What was said in it before, oldest first.
        title: Of the one that goes on; empty for a new one.
    """

    def __init__(self, service: Service, *, goes_on: bool = False) -> None:
        self._service = service
        found = service.latest_conversation() if goes_on else None
        self._id = found.id if found else ""
        self.title = found.title if found else ""
        self.history = tuple(Turn(turn.question, turn.answer) for turn in found.turns) if found else ()

    def keep(self, question: str, answer: schemas.Answer) -> None:
        """Keeps a turn; nothing where the service keeps none."""
        turn = schemas.TurnToKeep.model_validate({**answer.model_dump(), "question": question})
        self._id = self._service.keep_turn(self._id, turn)

    def begin_anew(self) -> None:
        """What comes next belongs to another conversation."""
        self._id = ""
