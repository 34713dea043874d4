"""A model reads passages one by one, and shows how likely each holds the answer; within bounds of time and tokens."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from kb.answering.prompts.prompt import build_prompt
from kb.answering.prompts.tokens import token_counter
from kb.judging.calibration import Calibration
from kb.ports import LanguageModel, Looker
from kb.values.chat import Delta, GenerationOptions, Heartbeat, Looked, Message
from kb.values.passages import Passage

SOURCE_TOKENS = 320
"""Of passages that are read together the model sees so much."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be done for one question.

    Attributes:
        seconds: From the first piece of work on.
        tokens: That the model reads and writes; what has begun is finished.
        passages: That it reads of what the searches find.
        more: That it reads of what these lead to.
    """

    seconds: float
    tokens: int
    passages: int
    more: int


@dataclass(slots=True)
class Reader:
    """A model at work for one question.

    Attributes:
        calibration: How its looks are read; None: by their margin, which is no probability.
        may_see: Whether a passage may be shown to it.
    """

    model: LanguageModel
    calibration: Calibration | None
    bounds: Bounds
    may_see: Callable[[Passage], bool] = lambda _: True
    _tokens: int = 0
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.bounds.seconds

    @property
    def can_tell(self) -> bool:
        """Whether what it shows is a probability."""
        return isinstance(self.model, Looker) and bool(self.calibration and self.calibration.can_judge("evidence"))

    @property
    def may_go_on(self) -> bool:
        """Whether anything is left of the bounds."""
        return self._left_seconds > 0 and self._tokens < self.bounds.tokens

    def write(self, messages: Sequence[Message], most_tokens: int) -> Generator[Heartbeat, None, str]:
        """Has the model write a few words."""
        self._tokens += token_counter(self.model).prompt_tokens(messages) + most_tokens
        reply = ""
        stream = self.model.stream(messages, self._limits(most_tokens))
        try:
            for item in stream:
                if isinstance(item, Heartbeat):
                    yield item
                elif isinstance(item, Delta) and item.phase == "answer":
                    reply += item.text
        finally:
            stream.close()
        return reply

    def read(self, query: str, passages: Sequence[Passage]) -> Generator[Heartbeat, None, float | None]:
        """Has the model read passages together.

        Returns:
            How much likelier it is that they hold the answer than that they do not: a logarithm, calibrated if it
            `can_tell`. None: there was no time.
        """
        assert isinstance(self.model, Looker), "who cannot be looked into reads nothing"
        counter = token_counter(self.model)
        looks = build_prompt(query, passages, (), counter.count_tokens, SOURCE_TOKENS).looks([query])
        self._tokens += counter.prompt_tokens(looks[0].messages)
        stream, looked = self.model.stream_after_looks(looks, (), self._limits(1)), None
        try:
            for item in stream:
                if isinstance(item, Heartbeat):
                    yield item
                elif isinstance(item, Looked) and item.margins:
                    looked = item
        finally:
            stream.close()
        if looked is None:
            return None
        return self.calibration.log_odds("evidence", looked)[0] if self.calibration else looked.margins[0]

    @property
    def _left_seconds(self) -> float:
        return self._until - time.monotonic()

    def _limits(self, answer_tokens: int) -> GenerationOptions:
        seconds = max(self._left_seconds, 0.001)
        return GenerationOptions(reasoning_tokens=0, answer_tokens=answer_tokens, seconds=seconds)
