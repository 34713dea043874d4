"""The judge that asks the answering model: it does not write its verdict, what it shows in a look is read."""

from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np

from kb.errors import ModelBusy, PromptTooLong
from kb.judging.calibration import Calibration, LookKind
from kb.judging.support import is_answer, look_at
from kb.ports import Looker
from kb.values.chat import GenerationOptions, Heartbeat, Looked

LOOK_SECONDS = 60.0
"""How long a look may take, once it is its turn."""


class LookingJudge:
    """Adapter of `kb.ports.Judge`.

    Args:
        model: The answering model.
        calibration: How its looks are read; of what it cannot judge, nothing is said.
    """

    def __init__(self, model: Looker, calibration: Calibration) -> None:
        self._model = model
        self._calibration = calibration

    def judge(
        self, passages: Sequence[str], statement: str, question: str = ""
    ) -> Generator[Heartbeat, None, float | None]:
        """See `kb.ports.Judge`."""
        kind: LookKind = "answer" if is_answer(statement, question) else "sentence"
        if not self._calibration.can_judge(kind):
            return None
        looks = [look_at(passages, statement, question)]
        stream = self._model.stream_after_looks(looks, (), GenerationOptions(seconds=LOOK_SECONDS))
        try:
            with closing(stream):
                for item in stream:
                    if isinstance(item, Looked):
                        (log_odds,) = self._calibration.log_odds(kind, item)
                        return float(1.0 / (1.0 + np.exp(-log_odds)))
                    if isinstance(item, Heartbeat):
                        yield item
        except (ModelBusy, PromptTooLong):
            pass
        return None

    def close(self) -> None:
        """See `kb.ports.Judge`. The model is not its own."""
