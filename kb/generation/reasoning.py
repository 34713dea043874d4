"""Keeps reasoning apart from the answer while text arrives piece by piece.

It knows neither models nor tokens' meaning, only text, tags and the phase it is told. Invariant: nothing of the
reasoning phase and no tag ever comes out as answer, and how the text was cut into pieces changes nothing.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from kb.values.chat import Delta

Phase = Literal["reasoning", "answer"]

REASONING: Phase = "reasoning"
ANSWER: Phase = "answer"

OPENER = "<think>"
CLOSER = "</think>"

Tags = Mapping[str, Phase]
"""What each tag begins; in lower case."""

THINK_TAGS: Tags = MappingProxyType({OPENER: "reasoning", CLOSER: "answer"})

_MARKS = ("<{}think>", "<{}thinking>", "<{}thought>", "<{}thoughts>", "<{}reasoning>", "<{}seed:think>", "◁{}think▷")
_OPENERS = ("<|begin_of_thought|>", "<|channel|>analysis<|message|>", "<|channel|>commentary<|message|>", "[think]")
_CLOSERS = (
    *("<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>", "[/think]"),
    *("<|channel|>final<|message|>", "<|start|>assistant", "<|end|>", "<|return|>"),
)
EVERY_TAG: Tags = MappingProxyType(
    dict.fromkeys([*(mark.format("") for mark in _MARKS), *_OPENERS], REASONING)
    | dict.fromkeys([*(mark.format("/") for mark in _MARKS), *_CLOSERS], ANSWER)
)
"""The tags of R1, Qwen and Claude-like models, Seed-OSS, Kimi, Magistral, OpenThinker and gpt-oss."""

_LOOP_TOKENS = 96
_LOOP_TIMES = 3
_LOOP_PERIOD_TOKENS = 128


class ReasoningSplitter:
    """Turns text into deltas, each of one phase.

    Tags may be cut in two anywhere, be doubled, be missing or never be closed. White space before the first word of a
    phase is dropped; where a tag stood between two words of one phase, a space stands.

    Args:
        phase: In which the text begins: `reasoning` where the prompt has opened it.
        tags_in_text: Whether tags in the text change the phase. False for a model whose tags are tokens of their own:
            then only `switch_to` does, and a tag that is merely quoted while reasoning stays reasoning.
        tags: Which; in any case.
    """

    def __init__(self, phase: Phase = "answer", *, tags_in_text: bool = True, tags: Tags = THINK_TAGS) -> None:
        self._phase: Phase = phase
        self._tags_in_text = tags_in_text
        self._tags = tags
        self._tag = re.compile("|".join(map(re.escape, sorted(tags, key=len, reverse=True))), re.IGNORECASE)
        self._longest = max(map(len, tags))
        self._held = ""
        self._begun: set[Phase] = set()
        self._seam = False

    @property
    def phase(self) -> Phase:
        """The phase of what comes next."""
        return self._phase

    def feed(self, text: str) -> list[Delta]:
        """Takes the next piece of text.

        Returns:
            What is certain by now; what may be the beginning of a tag is held back.
        """
        deltas: list[Delta] = []
        text = self._held + text
        while tag := self._next_tag(text):
            deltas += self._write(text[: tag.start()])
            text = text[tag.end() :]
            self._seam = True
            if self._tags_in_text:
                self._phase = self._tags[tag.group().lower()]
        held = self._possible_tag(text)
        self._held = text[len(text) - held :]
        return deltas + self._write(text[: len(text) - held])

    def switch_to(self, phase: Phase) -> list[Delta]:
        """Changes the phase from outside, because of a token or of a spent budget.

        Returns:
            What was held back; it belongs to the phase that ends.
        """
        deltas = self.flush()
        self._phase = phase
        self._seam = True
        return deltas

    def force_close(self) -> list[Delta]:
        """Ends the reasoning, whatever the text says.

        Returns:
            What was held back, as reasoning.
        """
        return self.switch_to("answer")

    def flush(self) -> list[Delta]:
        """Gives out what was held back: it has turned out to be no tag."""
        held, self._held = self._held, ""
        return self._write(held)

    def _next_tag(self, text: str) -> re.Match[str] | None:
        return self._tag.search(text) if self._tags_in_text or self._phase == "answer" else None

    def _possible_tag(self, text: str) -> int:
        """The length of the longest end of the text that may go on to become a tag."""
        if not self._tags_in_text and self._phase == "reasoning":
            return 0
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            end = text[-length:].lower()
            if any(tag.startswith(end) for tag in self._tags):
                return length
        return 0

    def _write(self, text: str) -> list[Delta]:
        if self._phase not in self._begun:
            text = text.lstrip()
        if not text:
            return []
        # Without a space, the halves of a tag could meet where another tag was taken out.
        if self._seam and self._phase in self._begun and not text[0].isspace():
            text = f" {text}"
        self._seam = False
        self._begun.add(self._phase)
        return [Delta(self._phase, text)]


def ends_in_loop(tokens: Sequence[int]) -> bool:
    """Whether generation has run into an endless repetition.

    A loop is an end of at least 96 tokens that repeats one stretch of up to 128 tokens at least three times: longer
    than the rulers, table borders and rows of zeros that are meant.

    Args:
        tokens: What was generated so far.
    """
    return any(
        _repeats(tokens, period, max(_LOOP_TOKENS, _LOOP_TIMES * period))
        for period in range(1, _LOOP_PERIOD_TOKENS + 1)
    )


def _repeats(tokens: Sequence[int], period: int, length: int) -> bool:
    return len(tokens) >= length and all(
        tokens[-place] == tokens[-place - period] for place in range(1, length - period + 1)
    )
