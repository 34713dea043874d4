"""How far an answer or a check is, in words for the one who waits. Pure."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from pydantic import BaseModel

from kb.text.languages import asked_in
from server.http import schemas

Report = Callable[[float, float | None, str | None], Awaitable[None]]

STAGES = 4
"""Waiting, passages, thinking, writing."""

_WORDS = {
    "waiting": {"en": "{count} questions come before", "zh": "前面还有 {count} 个问题"},
    "passages": {"en": "{count} passages found", "zh": "找到 {count} 个段落"},
    "words": {"en": "looking for the words under which it may stand", "zh": "正在查找答案可能出现的词语"},
    "leads": {"en": "following what was found", "zh": "正在追查已找到的线索"},
    "part": {"en": "looking up part {number} of {of}: {about}", "zh": "正在查找第 {number}/{of} 部分：{about}"},
    "section": {"en": "reading section {number} of {of}: {about}", "zh": "正在阅读第 {number}/{of} 节：{about}"},
    "passage": {"en": "reading passage {number} of {of}", "zh": "正在阅读第 {number}/{of} 个段落"},
    "numbers": {"en": "looking for the numbers", "zh": "正在查找数字"},
    "compose": {"en": "putting the answer together", "zh": "正在整理答案"},
    "thinking": {"en": "thinking", "zh": "正在思考"},
    "writing": {"en": "writing", "zh": "正在作答"},
    "checked": {"en": "{count} statements checked", "zh": "已核对 {count} 句"},
}


class Progress(Protocol):
    """Tells the one who waits how far it is."""

    async def note(self, event: BaseModel) -> None:
        """Takes the next event."""


class AnswerProgress:
    """Of an answer: tells each stage once, in order.

    Args:
        report: Takes how far it is, out of how much, and words.
        question: Tells the language.
    """

    def __init__(self, report: Report, question: str) -> None:
        self._report = report
        self._language = asked_in(question)
        self._told = 0.0

    async def note(self, event: BaseModel) -> None:
        """See `Progress`."""
        match event:
            case schemas.PassagesEvent():
                await self._tell(1, "passages", count=len(event.passages))
            case schemas.WaitingEvent() if event.place:
                await self._tell(2, "waiting", count=event.place)
            case schemas.StepEvent():
                await self._tell(2 + event.number / (event.of + 1) if event.of else 2, event.doing, **dict(event))
            case schemas.ReasoningEvent():
                await self._tell(3, "thinking")
            case schemas.AnswerEvent():
                await self._tell(4, "writing")

    async def _tell(self, stage: float, words: str, **values: object) -> None:
        if stage > self._told:
            self._told = stage
            await self._report(stage, STAGES, _WORDS[words][self._language].format(**values))


class CheckProgress:
    """Of a check: tells each statement.

    Args:
        report: Takes how many are checked, and words; how many there will be is not known.
        text: Tells the language.
    """

    def __init__(self, report: Report, text: str) -> None:
        self._report = report
        self._language = asked_in(text)
        self._checked = 0

    async def note(self, event: BaseModel) -> None:
        """See `Progress`."""
        if isinstance(event, schemas.CheckedStatement):
            self._checked += 1
            await self._report(self._checked, None, _WORDS["checked"][self._language].format(count=self._checked))
