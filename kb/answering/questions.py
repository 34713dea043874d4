"""From a question as it was asked to the stream of its answer: limits, options, models that may still be loading.

Knows nothing about documents beyond the passages that are found.
"""

from collections.abc import Callable, Generator, Sequence

from kb.answering.followup import self_contained
from kb.answering.freshness import FreshPassages
from kb.answering.local_only import LocalOnly
from kb.answering.lookup import answer_events
from kb.answering.models import Models
from kb.answering.remarks import without_remark
from kb.answering.retrieval import RetrievalResult, SubQuestion, SubQuestionSearch
from kb.answering.routing import Route, engines_here
from kb.answering.subquestions import split
from kb.answering.thinking import ThinkingBudgets
from kb.answering.writing import AnswerOptions
from kb.errors import InvalidRequest, RequestTooLarge
from kb.indexing.live_index import Serving
from kb.judging.evidence import CALIBRATED_MODEL
from kb.judging.instructions import InstructionFinder
from kb.ports import Freshness
from kb.settings import Settings
from kb.values.answers import AnswerEvent, IndexState, Thinking
from kb.values.chat import GenerationOptions, Turn
from kb.values.documents import DocumentInfo
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage

MAX_TOP_K = 50
MAX_HISTORY_TURNS = 100
MAX_HISTORY_CHARS = 400_000
"""Longer conversations are refused: nobody writes so much, and reading it would take seconds."""

_TURNS_REFERRED_TO = 8  # a question does not lean on what was said longer ago


class Questions:
    """Answers questions.

    Args:
        models: In use; waited for.
        index_state: Tells how current the index is.
        document: Gives a document by its id, or None.

    Attributes:
        files: Knows the files of the documents; None: they are not checked.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models,
        index_state: Callable[[], IndexState],
        document: Callable[[str], DocumentInfo | None],
    ) -> None:
        self._settings = settings
        self._models = models
        self._index_state = index_state
        self._document = document
        self.files: Freshness | None = None
        self._instructions: InstructionFinder | None = None
        self._local_only = LocalOnly(settings.local_only)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        thinking: Thinking | None = None,
        top_k: int | None = None,
        filters: Filters = EVERYTHING,
    ) -> Generator[AnswerEvent, None, None]:
        """Answers a question bit by bit. See `kb.knowledge_base.KnowledgeBase.ask_stream`."""
        question, settings = self._checked(question, top_k), self._settings
        _check_history(history)
        history = [Turn(turn.question, without_remark(turn.answer)) for turn in history]
        sub_questions = _sub_questions(question, history[-_TURNS_REFERRED_TO:])
        told, told_history = self._told(question, history)
        options = AnswerOptions(
            question=question if told_history or not history else "\n".join(part.query for part in told),
            sub_questions=told,
            history=told_history,
            thinking=thinking or settings.thinking,
            budgets=ThinkingBudgets(settings.reasoning_short_tokens, settings.reasoning_full_tokens),
            limits=GenerationOptions(answer_tokens=settings.answer_tokens, seconds=settings.answer_seconds),
            passage_tokens=settings.passage_tokens,
            min_evidence=settings.min_evidence,
        )
        live_index = self._models.live_index()
        is_calibrated = live_index.serving.space.model == CALIBRATED_MODEL
        searches = SubQuestionSearch(
            sub_questions, lambda query, k: live_index.passages(query, k, filters), is_calibrated
        )
        fresh = FreshPassages(searches.passages, self._document, self.files)
        route = Route(settings, self._models, self._must_stay, question, len(sub_questions))

        def retrieve() -> RetrievalResult:
            passages = fresh.find(top_k or settings.top_k)
            why = "stale" if fresh.stale else "filters" if filters else "empty"
            found = RetrievalResult(passages, searches.evidence(passages), "" if passages else why)
            return route.admit(found, searches.evidence)

        events = answer_events(
            options,
            retrieve=retrieve,
            model=route.model,
            embed=live_index.serving.embedder.embed_passages,
            index=self._index_state(),
            find_instructions=self._finder(live_index.serving).found,
        )
        return route.declared(fresh.declared(events))

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages. See `kb.knowledge_base.KnowledgeBase.search`."""
        query = self._checked(query, top_k)
        live_index = self._models.live_index()
        return live_index.passages(query, top_k or self._settings.top_k, filters)

    def _finder(self, serving: Serving) -> InstructionFinder:
        finder = self._instructions
        if finder is None or not finder.is_of(serving.embedder):
            self._instructions = finder = InstructionFinder(serving.space.model, serving.embedder)
        return finder

    def _must_stay(self, passage: Passage) -> bool:
        return bool(self._local_only) and self._local_only.holds(self._document(passage.document_id))

    def _told(self, question: str, history: Sequence[Turn]) -> tuple[list[SubQuestion], list[Turn]]:
        """What a model is told of the parts of a question and of what was said before.

        An earlier answer may quote what is to stay here: where an engine is elsewhere, what was asked is told alone.
        """
        are_all_here = set(engines_here(self._settings)) == {"large"} | (
            {"small"} if self._models.small_model else set()
        )
        if not self._local_only or are_all_here:
            return _sub_questions(question, history[-_TURNS_REFERRED_TO:]), [turn for turn in history if turn.answer]
        asked = [Turn(turn.question, "") for turn in history]
        return _sub_questions(question, asked[-_TURNS_REFERRED_TO:]), []

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


def _sub_questions(question: str, history: Sequence[Turn]) -> list[SubQuestion]:
    """What a question asks, with what is searched for; a later part may refer to the first as to an earlier turn."""
    first, *others = split(question)
    turns = [*history, Turn(first, "")]
    return [
        SubQuestion(first, self_contained(first, history)),
        *(SubQuestion(text, self_contained(text, turns)) for text in others),
    ]


def _check_history(history: Sequence[Turn]) -> None:
    chars = sum(len(turn.question) + len(turn.answer) for turn in history)
    if len(history) > MAX_HISTORY_TURNS or chars > MAX_HISTORY_CHARS:
        raise RequestTooLarge(
            f"the history has {len(history):,} turns and {chars:,} characters; the limits are {MAX_HISTORY_TURNS:,} and"
            f" {MAX_HISTORY_CHARS:,}",
            "leave out the oldest turns",
        )
