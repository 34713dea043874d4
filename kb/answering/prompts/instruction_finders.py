"""What finds sentences that speak to the one who answers, for the embedding model that is in use."""

from kb.indexing.live_index import Serving
from kb.judging.instructions import FitFinder, InstructionFinder, weights_for


class InstructionFinders:
    """Makes the finder for the embedding model that is in use, once.

    Args:
        fit_one: Makes its weights at first use.
    """

    def __init__(self, fit_one: FitFinder = weights_for) -> None:
        self._fit = fit_one
        self._finder: InstructionFinder | None = None

    def of(self, serving: Serving) -> InstructionFinder:
        """The finder that sees with a model."""
        if self._finder is None or not self._finder.is_of(serving.embedder):
            self._finder = InstructionFinder(serving.space.model, serving.embedder, self._fit)
        return self._finder
