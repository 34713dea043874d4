"""What a lookup does beyond one search: it has the model read, say where else to look, and follow what it has read.

It does so where that is asked for; and by itself, in less time, where the question is near to what the documents are
about, and yet too little was found to answer from.
"""

import logging
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from kb.answering.kinds.engine import looking_model
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.sources.reading import Bounds, Reader
from kb.answering.sources.retrieval import SubQuestionSearch
from kb.answering.sources.widening import BY_ITSELF, THOROUGH, Weigh, WideSearch
from kb.errors import ModelError
from kb.ports import LanguageModel
from kb.values.answers import Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

logger = logging.getLogger(__name__)

LEAST_PROSPECT = 0.2
"""With less evidence from the search the documents are about something else, and nothing more is looked for.

Of 60 questions of XQuAD each in English and Chinese two and two have too little for an answer, and these four have so
much; without the article it is 27 % and 58 % that have too little and yet so much, with 0.1 it were 53 % and 82 %.
"""

BEST_OF_MANY = 0.9
"""So likely the answer must be in what was read where it was not found before: of eight passages one looks well by
chance, so that odds of one to one, which are enough where one look is had, are eight to one for the best of them."""


@dataclass(slots=True)
class LookingFurther:
    """Finds more for one question.

    Attributes:
        searches: Give what is found the next time they are asked.
    """

    asked: Asked
    resources: Resources
    searches: SubQuestionSearch

    def thoroughly(self) -> Generator[Step | Heartbeat, None, None]:
        """Looks for all parts of the question, before anything is answered."""
        model = yield from looking_model(self.resources)
        reader = self._reader(model, THOROUGH)
        yield from self._look_for(range(len(self.searches.parts)), reader, self.searches.likelihood)

    def by_itself(self, evidence: Sequence[float]) -> Generator[Step | Heartbeat, None, bool]:
        """Looks for the parts of a question for which too little was found.

        Args:
            evidence: For each part how likely its answer was found.

        Returns:
            Whether there may be more to answer from now; not, where there was no prospect of it, or no time.
        """
        least, prospects = self.resources.settings.min_evidence, self.searches.prospects
        thin = [n for n, likely in enumerate(evidence) if likely < least and prospects[n] >= LEAST_PROSPECT]
        model = self.resources.models.looking_model.get()  # what is declined without a model does not wait for one
        if not thin or model is None or self.asked.effort != "auto" or self.asked.others_wait():
            return False
        reader = self._reader(model, BY_ITSELF)

        def weigh(query: str, passages: Sequence[Passage]) -> float:
            """That the question is near to the documents was weighed before it came here: it only counts against."""
            return min(self.searches.likelihood(query, passages), least)

        try:
            return reader.can_tell and (yield from self._look_for(thin, reader, weigh)) >= max(least, BEST_OF_MANY)
        except ModelError as error:
            logger.info("nothing more is looked for: %s", error.message)
            return False

    def _look_for(
        self, numbers: Iterable[int], reader: Reader, weigh: Weigh
    ) -> Generator[Step | Heartbeat, None, float]:
        """Looks for parts of the question.

        Args:
            weigh: See `WideSearch`.

        Returns:
            How likely the answer to one of them was read, in 0…1.
        """
        least, best = self.resources.settings.min_evidence, 0.0
        for n in numbers:
            wide = WideSearch(self.searches.search, reader, weigh)
            passages = yield from wide.passages(self.searches.parts[n].query, self.asked.top_k)
            # What was read with success is let through to be read again, all together; that decides.
            admitted = max(wide.prior, least) if wide.evidence >= least else wide.prior
            self.searches.give(n, passages, admitted if reader.can_tell else None)
            best = max(best, wide.evidence)
        return best

    def _reader(self, model: LanguageModel, bounds: Bounds) -> Reader:
        return Reader(model, self.resources.judges.calibration(model), bounds, self._may_be_read)

    def _may_be_read(self, passage: Passage) -> bool:
        return not (self.resources.models.looks_elsewhere and self.resources.must_stay(passage))
