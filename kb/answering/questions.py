"""From a question as it was asked to the stream of its answer: limits, options, models that may still be loading.

Knows nothing about documents beyond the passages that are found.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from kb.answering.activity import Activity
from kb.answering.followup import self_contained
from kb.answering.freshness import FreshPassages
from kb.answering.instructions import without_instructions
from kb.answering.judges import Judges
from kb.answering.local_only import LocalOnly
from kb.answering.lookup import answer_events
from kb.answering.models import Models
from kb.answering.remarks import without_remark
from kb.answering.retrieval import RetrievalResult, SubQuestion, SubQuestionSearch
from kb.answering.routing import Route, engines_here
from kb.answering.subquestions import split
from kb.answering.talking import talk_events
from kb.answering.thinking import ThinkingBudgets
from kb.answering.verifying import checked_statements, passages_of
from kb.answering.writing import AnswerOptions
from kb.errors import InvalidRequest, RequestTooLarge
from kb.indexing.live_index import Serving
from kb.judging.evidence import CALIBRATED_MODEL
from kb.judging.instructions import InstructionFinder
from kb.ports import Freshness
from kb.settings import Settings
from kb.values.answers import AnswerEvent, CheckedStatement, IndexState, Thinking, Verification
from kb.values.chat import GenerationOptions, Heartbeat, Message, Turn
from kb.values.documents import DocumentInfo
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage

MAX_TOP_K = 50
MAX_CHECKED_CHARS = 40_000
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
        judges: Who says what passages bear out.

    Attributes:
        files: Knows the files of the documents; None: they are not checked.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models,
        index_state: Callable[[], IndexState],
        document: Callable[[str], DocumentInfo | None],
        judges: Judges,
    ) -> None:
        self._settings = settings
        self._models = models
        self._index_state = index_state
        self._document = document
        self._judges = judges
        self.files: Freshness | None = None
        self._instructions: InstructionFinder | None = None
        self._activity = Activity()
        self._local_only = LocalOnly(settings.local_only)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        thinking: Thinking | None = None,
        top_k: int | None = None,
        filters: Filters = EVERYTHING,
        answer_tokens: int | None = None,
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
            budgets=self._budgets(),
            limits=self._limits(answer_tokens),
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
            judges=self._judges,
        )
        return self._activity.during(route.declared(fresh.declared(events)))

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        """Checks a text. See `kb.knowledge_base.KnowledgeBase.verify_stream`."""
        chars = max(map(len, (text, *sources)))
        if not text.strip():
            raise InvalidRequest("the text is empty", "give a text with a statement")
        if chars > MAX_CHECKED_CHARS:
            raise RequestTooLarge(
                f"there are {chars:,} characters in one text; the limit is {MAX_CHECKED_CHARS:,}", "check it in parts"
            )
        question = self._checked(question, None) if question else ""
        return self._activity.during(self._verified(text, question, sources, filters))

    def _verified(
        self, text: str, question: str, sources: Sequence[str], filters: Filters
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        live_index, given = self._models.live_index(), passages_of(sources)
        limit = self._settings.max_question_chars

        def find(statement: str) -> Sequence[Passage]:
            passages = given or live_index.passages(statement[:limit], self._settings.top_k, filters)
            if not given and self._models.looks_elsewhere:
                passages = [passage for passage in passages if not self._must_stay(passage)]
            return without_instructions(passages, self._finder(live_index.serving).found)[0]

        route = Route(self._settings, self._models, self._must_stay, question, 1)
        while (model := route.looking_model()) is None:
            yield Heartbeat()
        judge, embed, found = self._judges.judge(model), live_index.serving.embedder.embed_passages, []
        for item in checked_statements(text, question, find, judge, embed):
            if isinstance(item, CheckedStatement):
                found.append(item)
            yield item
        yield Verification(tuple(found), model.info.name if judge else "")

    @property
    def is_idle(self) -> bool:
        """Whether nobody has asked for a while."""
        return self._activity.is_idle

    def talk(
        self, messages: Sequence[Message], thinking: Thinking | None = None, answer_tokens: int | None = None
    ) -> Generator[AnswerEvent, None, None]:
        """Lets the model reply without any documents. See `kb.knowledge_base.KnowledgeBase.talk`."""
        _check_chars(sum(len(message.content) for message in messages))
        budgets, chosen = self._budgets(), thinking or self._settings.thinking
        reasoning_tokens = {"off": 0, "auto": budgets.short, "short": budgets.short, "full": budgets.full}[chosen]
        limits = replace(self._limits(answer_tokens), reasoning_tokens=reasoning_tokens)
        route = Route(self._settings, self._models, self._must_stay, "", 1)
        route.admit_talk(may_quote_what_must_stay=bool(self._local_only))
        return talk_events(messages, limits, route.model)

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages. See `kb.knowledge_base.KnowledgeBase.search`."""
        query = self._checked(query, top_k)
        live_index = self._models.live_index()
        return live_index.passages(query, top_k or self._settings.top_k, filters)

    def _budgets(self) -> ThinkingBudgets:
        return ThinkingBudgets(self._settings.reasoning_short_tokens, self._settings.reasoning_full_tokens)

    def _limits(self, answer_tokens: int | None) -> GenerationOptions:
        most = self._settings.answer_tokens
        wanted = most if answer_tokens is None else min(answer_tokens, most)
        return GenerationOptions(answer_tokens=wanted, seconds=self._settings.answer_seconds)

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
    if len(history) > MAX_HISTORY_TURNS:
        raise RequestTooLarge(
            f"the history has {len(history):,} turns; the limit is {MAX_HISTORY_TURNS:,}", "leave out the oldest turns"
        )
    _check_chars(sum(len(turn.question) + len(turn.answer) for turn in history))


def _check_chars(chars: int) -> None:
    if chars > MAX_HISTORY_CHARS:
        raise RequestTooLarge(
            f"the history has {chars:,} characters; the limit is {MAX_HISTORY_CHARS:,}", "leave out the oldest turns"
        )
