"""What finds sentences that speak to the one who answers, for the embedding model that is in use."""

from kb.indexing.live_index import Serving
from kb.judging.instructions import InstructionFinder


class InstructionFinders:
    """Makes the finder for the embedding model that is in use, once."""

    def __init__(self) -> None:
        self._finder: InstructionFinder | None = None

    def of(self, serving: Serving) -> InstructionFinder:
        """The finder that sees with a model."""
        if self._finder is None or not self._finder.is_of(serving.embedder):
            self._finder = InstructionFinder(serving.space.model, serving.embedder)
        return self._finder
