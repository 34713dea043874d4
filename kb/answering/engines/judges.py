"""Who judges an answer: the model that writes it, once it is calibrated."""

from collections.abc import Callable
from dataclasses import dataclass

from kb.judging.calibration import Calibration
from kb.judging.looking import LookingJudge
from kb.judging.one_word import looker_of
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
        """How looks for evidence are read; None: they tell nothing, or would cost a reply each."""
        return self.find(model.info) if isinstance(model, Looker) else None

    def judge(self, model: LanguageModel) -> Judge | None:
        """Who judges what a model has written; None: nobody."""
        if appointed := self.appointed():
            return appointed
        calibration = self.find(model.info)
        return LookingJudge(looker_of(model), calibration) if calibration else None
