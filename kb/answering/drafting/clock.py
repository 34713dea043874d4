"""Where the time of one question went."""

import time

from kb.values.answers import Timings
from kb.values.chat import GenerationEnd


class QuestionClock:
    """Milliseconds since the question arrived; only the first mark of a name counts."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._marks: dict[str, float] = {}

    def mark(self, name: str) -> None:
        """Notes that something has just happened; the names are those of `Timings`."""
        self._marks.setdefault(name, self._elapsed())

    def timings(self, end: GenerationEnd | None = None) -> Timings:
        """All times so far, and the tokens of the generation."""
        return Timings(
            retrieve_ms=self._marks.get("retrieve_ms", 0.0),
            prompt_ms=self._marks.get("prompt_ms", 0.0),
            first_reasoning_ms=self._marks.get("first_reasoning_ms"),
            first_answer_ms=self._marks.get("first_answer_ms"),
            total_ms=self._elapsed(),
            prompt_tokens=end.prompt_tokens if end else 0,
            reused_tokens=end.reused_tokens if end else 0,
            reasoning_tokens=end.reasoning_tokens if end else 0,
            answer_tokens=end.answer_tokens if end else 0,
        )

    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)
