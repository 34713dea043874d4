"""How far an answer is, in words for the one who waits. Pure."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel

from kb.text.languages import asked_in
from server.http import schemas

Report = Callable[[float, float | None, str | None], Awaitable[None]]

STAGES = 4
"""Waiting, passages, thinking, writing."""

_WORDS = {
    "waiting": {"en": "{count} questions come before", "zh": "前面还有 {count} 个问题"},
    "passages": {"en": "{count} passages found", "zh": "找到 {count} 个段落"},
    "thinking": {"en": "thinking", "zh": "正在思考"},
    "writing": {"en": "writing", "zh": "正在作答"},
}


class Progress:
    """Tells each stage once, in order.

    Args:
        report: Takes how far it is, out of how much, and words.
        question: Tells the language.
    """

    def __init__(self, report: Report, question: str) -> None:
        self._report = report
        self._language = asked_in(question)
        self._told = 0

    async def note(self, event: BaseModel) -> None:
        """Takes the next event of the answer."""
        match event:
            case schemas.PassagesEvent():
                await self._tell(1, "passages", len(event.passages))
            case schemas.WaitingEvent() if event.place:
                await self._tell(2, "waiting", event.place)
            case schemas.ReasoningEvent():
                await self._tell(3, "thinking")
            case schemas.AnswerEvent():
                await self._tell(4, "writing")

    async def _tell(self, stage: int, words: str, count: int = 0) -> None:
        if stage > self._told:
            self._told = stage
            await self._report(stage, STAGES, _WORDS[words][self._language].format(count=count))
