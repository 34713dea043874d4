"""From a question as it was asked to the stream of its answer: limits, options, models that may still be loading.

Knows nothing about documents beyond the passages that are found.
"""

from collections.abc import Callable, Generator, Sequence

from kb.answer import Request, answer_events
from kb.errors import InvalidRequest, RequestTooLarge
from kb.filters import EVERYTHING, Filters
from kb.followup import self_contained
from kb.generation import GenerationOptions
from kb.loading import Loading, LoadState
from kb.ports import LanguageModel
from kb.settings import Settings
from kb.types import AnswerEvent, IndexState, Passage, Thinking, Turn
from kb.upkeep import Upkeep

MAX_TOP_K = 50
HEARTBEAT_SECONDS = 0.5

PATIENCE_SECONDS = 60.0
"""How long a question waits for models that load from disk; a download is not waited for."""


class Questions:
    """Answers questions.

    Args:
        retrieval: Loads embedding model and vector index.
        model: Loads the answering model.
        index_state: Tells how current the index is.
    """

    def __init__(
        self,
        settings: Settings,
        retrieval: Loading[Upkeep],
        model: Loading[LanguageModel],
        index_state: Callable[[], IndexState],
    ) -> None:
        self._settings = settings
        self._retrieval = retrieval
        self._model = model
        self._index_state = index_state

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        thinking: Thinking | None = None,
        top_k: int | None = None,
        filters: Filters = EVERYTHING,
    ) -> Generator[AnswerEvent, None, None]:
        """Answers a question bit by bit. See `kb.knowledge_base.KnowledgeBase.ask_stream`."""
        question = self._checked(question, top_k)
        query = self_contained(question, history)
        request = Request(
            question=question,
            history=tuple(history),
            options=self._options(thinking or self._settings.thinking),
            passage_tokens=self._settings.passage_tokens,
            min_similarity=self._settings.min_similarity,
            narrowed=bool(filters),
        )
        retrieval = self._retrieval.require(PATIENCE_SECONDS).retrieval
        return answer_events(
            request,
            retrieve=lambda: retrieval.passages(query, top_k or self._settings.top_k, filters),
            model=self._model_if_ready,
            embed=retrieval.serving.embedder.embed_passages,
            index=self._index_state(),
        )

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages. See `kb.knowledge_base.KnowledgeBase.search`."""
        query = self._checked(query, top_k)
        retrieval = self._retrieval.require(PATIENCE_SECONDS).retrieval
        return retrieval.passages(query, top_k or self._settings.top_k, filters)

    def _model_if_ready(self) -> LanguageModel | None:
        if self._model.status.state is LoadState.DOWNLOADING:
            return self._model.require(0)
        return self._model.wait(HEARTBEAT_SECONDS)

    def _options(self, thinking: Thinking) -> GenerationOptions:
        budgets: dict[Thinking, int] = {
            "off": 0,
            "short": self._settings.reasoning_short_tokens,
            "full": self._settings.reasoning_full_tokens,
        }
        return GenerationOptions(reasoning_tokens=budgets[thinking], answer_tokens=self._settings.answer_tokens)

    def _checked(self, question: str, top_k: int | None) -> str:
        question = question.strip()
        limit = self._settings.max_question_chars
        if not question:
            raise InvalidRequest("the question is empty", "write a question")
        if len(question) > limit:
            raise RequestTooLarge(
                f"the question has {len(question):,} characters; the limit is {limit:,}",
                "ask a shorter question; long texts belong into a file in a watched folder",
            )
        if top_k is not None and not 1 <= top_k <= MAX_TOP_K:
            raise InvalidRequest(f"top_k is {top_k}", f"ask for 1 to {MAX_TOP_K} passages")
        return question
