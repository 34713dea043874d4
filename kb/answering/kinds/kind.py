"""What a kind of question is: it takes a question with what is known of it, and answers it with what there is."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kb.answering.engines.judges import Judges
from kb.answering.engines.local_only import LocalOnly
from kb.answering.engines.models import Models
from kb.answering.prompts.instruction_finders import InstructionFinders
from kb.answering.prompts.read_ahead import NOTHING_READ, SourcesRead
from kb.answering.sources.side_by_side import search_for_each
from kb.answering.understanding.decide import Decision
from kb.answering.understanding.followup import Decide
from kb.answering.understanding.thinking import ThinkingBudgets
from kb.answering.understanding.wishes import Wish
from kb.catalog.catalog import Catalog
from kb.indexing.live_index import LiveIndex
from kb.judging.evidence import CALIBRATED_MODEL
from kb.ports import Freshness
from kb.settings import Settings
from kb.values.answers import AnswerEvent, Effort, IndexState, Routing, Thinking
from kb.values.chat import GenerationOptions, Turn
from kb.values.filters import Filters
from kb.values.passages import Passage


@dataclass(slots=True)
class Resources:
    """What questions are answered with.

    Attributes:
        models: In use; waited for.
        catalog: Of the documents.
        judges: Who says what passages bear out.
        finders: Find what is kept from a model.
        local_only: What must not be sent to an engine elsewhere.
        files: Knows the files of the documents; None: they are not checked.
    """

    settings: Settings
    models: Models
    catalog: Catalog
    judges: Judges
    finders: InstructionFinders
    local_only: LocalOnly
    files: Freshness | None = None

    def must_stay(self, passage: Passage) -> bool:
        """Whether a passage is to stay on this machine."""
        return bool(self.local_only) and self.local_only.holds(self.catalog.document(passage.document_id))

    def routed(self, routing: Routing | None) -> "Resources":
        """The same for a question that is to go to one of the models; None: as in the settings."""
        return replace(self, settings=self.settings.model_copy(update={"routing": routing})) if routing else self

    @property
    def budgets(self) -> ThinkingBudgets:
        """How many tokens a thought may take."""
        return ThinkingBudgets(self.settings.reasoning_short_tokens, self.settings.reasoning_full_tokens)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked, with all that is known of it.

    Attributes:
        history: Earlier turns, oldest first.
        decision: What the question is.
        decide: Tells the same of other questions, such as its parts.
        filters: Which documents may answer.
        top_k: How many passages.
        limits: Of the answer.
        live_index: The index that answers.
        index: How current it is.
        effort: To find the passages.
        others_wait: Whether other questions wait for the model.
        wishes: For the form of the answer.
        things: That the question sets side by side; each is searched for by itself, too.
        read: Sources that the model has read while the question was written.
    """

    question: str
    history: Sequence[Turn]
    decision: Decision
    decide: Decide
    filters: Filters
    top_k: int
    thinking: Thinking
    limits: GenerationOptions
    live_index: LiveIndex
    index: IndexState
    wishes: Sequence[Wish] = ()
    effort: Effort = "quick"
    others_wait: Callable[[], bool] = lambda: False
    things: Sequence[str] = ()
    read: SourcesRead = NOTHING_READ

    def search(self, query: str, top_k: int) -> Sequence[Passage]:
        """Finds passages that may answer."""
        found = search_for_each(self.things, lambda text, k: self.live_index.passages(text, k, self.filters))
        return found(query, top_k)

    @property
    def is_calibrated(self) -> bool:
        """Whether what the search finds is weighed by its cosines; see `kb.judging.evidence.likelihood`."""
        return self.live_index.serving.space.model == CALIBRATED_MODEL

    @property
    def stands_alone(self) -> bool:
        """Whether it can be understood without what was said before."""
        return not self.history or not self.decision.leans


class Kind(Protocol):
    """Answers questions of one kind."""

    def events(self, asked: Asked, resources: Resources) -> Generator[AnswerEvent, None, None] | None:
        """Answers a question bit by bit.

        Closing the generator stops the work.

        Yields:
            `Step` before each thing that takes longer than a second; `Done` last.

        Returns:
            None: it is not sure what is asked for, and the question is answered as a lookup.
        """
