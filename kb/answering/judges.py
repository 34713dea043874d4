"""Who judges an answer: the model that writes it, once it is calibrated."""

from collections.abc import Callable
from dataclasses import dataclass

from kb.judging.calibration import Calibration
from kb.judging.looking import LookingJudge
from kb.ports import Judge, LanguageModel, Looker
from kb.values.chat import LanguageModelInfo


@dataclass(frozen=True, slots=True)
class Judges:
    """Gives each model its judge.

    Args:
        find: Gives the calibration of a model, or None.
        appointed: Gives who judges the answers of all models, whoever writes them; None: each model its own.
    """

    find: Callable[[LanguageModelInfo], Calibration | None]
    appointed: Callable[[], Judge | None] = lambda: None

    def calibration(self, model: LanguageModel) -> Calibration | None:
        """How the looks of a model are read; None: they tell nothing."""
        return self.find(model.info) if isinstance(model, Looker) else None

    def judge(self, model: LanguageModel) -> Judge | None:
        """Who judges what a model has written; None: nobody."""
        if appointed := self.appointed():
            return appointed
        calibration = self.calibration(model)
        return LookingJudge(model, calibration) if calibration and isinstance(model, Looker) else None
