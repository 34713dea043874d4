"""From a question as it was asked to the stream of its answer: limits, options, models that may still be loading.

Knows nothing about documents beyond the passages that are found.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering.activity import Activity
from kb.answering.checking import TextChecks
from kb.answering.decide import Classifiers, Decision, FitClassifier, classifier_for
from kb.answering.followup import self_contained
from kb.answering.freshness import FreshPassages
from kb.answering.instruction_finders import InstructionFinders
from kb.answering.inventory import Inventory
from kb.answering.judges import Judges
from kb.answering.listed import listed_events
from kb.answering.local_only import LocalOnly
from kb.answering.lookup import answer_events
from kb.answering.models import Models
from kb.answering.remarks import without_remark
from kb.answering.retrieval import RetrievalResult, SubQuestion, SubQuestionSearch
from kb.answering.routing import Route, engines_here
from kb.answering.subquestions import split
from kb.answering.talking import talk_events
from kb.answering.thinking import ThinkingBudgets
from kb.answering.writing import AnswerOptions
from kb.catalog.catalog import Catalog
from kb.errors import InvalidRequest, RequestTooLarge
from kb.indexing.live_index import LiveIndex
from kb.judging.evidence import CALIBRATED_MODEL
from kb.ports import Freshness
from kb.settings import Settings
from kb.values.answers import AnswerEvent, CheckedStatement, Done, IndexState, QuestionKind, Thinking, Verification
from kb.values.chat import GenerationOptions, Heartbeat, Message, Turn
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
        catalog: Of the documents.
        judges: Who says what passages bear out.
        fit_classifier: Makes what decides about questions, once for each embedding model.

    Attributes:
        files: Knows the files of the documents; None: they are not checked.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models,
        index_state: Callable[[], IndexState],
        catalog: Catalog,
        judges: Judges,
        fit_classifier: FitClassifier = classifier_for,
    ) -> None:
        self._settings = settings
        self._models = models
        self._index_state = index_state
        self._catalog = catalog
        self._inventory = Inventory(catalog)
        self._judges = judges
        self.files: Freshness | None = None
        self._classifiers = Classifiers(fit_classifier)
        self._finders = InstructionFinders()
        self._activity = Activity()
        self._local_only = LocalOnly(settings.local_only)
        self._checks = TextChecks(settings, models, judges, self._must_stay, self._finders)

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
        live_index, index = self._models.live_index(), self._index_state()
        decide = self._decider(live_index)
        decision = decide(question)
        if decision.kind == "inventory":
            if (not history or not decision.leans) and (listing := self._inventory.answer(question, filters)):
                find = lambda chosen: live_index.passages(question, top_k or settings.top_k, chosen)  # noqa: E731
                return self._activity.during(listed_events(listing, find, index))
            decision = replace(decision, kind="lookup")
        sub_questions = _sub_questions(question, history[-_TURNS_REFERRED_TO:], decide)
        told, told_history = self._told(question, history, decide)
        options = AnswerOptions(
            question=question if told_history or not history else "\n".join(part.query for part in told),
            sub_questions=told,
            history=told_history,
            thinking=thinking or settings.thinking,
            budgets=self._budgets(),
            limits=self._limits(answer_tokens),
            passage_tokens=settings.passage_tokens,
            min_evidence=settings.min_evidence,
            form=decision.form,
        )
        is_calibrated = live_index.serving.space.model == CALIBRATED_MODEL
        searches = SubQuestionSearch(
            sub_questions, lambda query, k: live_index.passages(query, k, filters), is_calibrated
        )
        fresh = FreshPassages(searches.passages, self._catalog.document, self.files)
        route = Route(settings, self._models, self._must_stay, decision.form, len(sub_questions))

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
            index=index,
            find_instructions=self._finders.of(live_index.serving).found,
            judges=self._judges,
        )
        return self._activity.during(_of_kind(decision.kind, route.declared(fresh.declared(events))))

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        """Checks a text. See `kb.knowledge_base.KnowledgeBase.verify_stream`."""
        question = self._checked(question, None) if question else ""
        return self._activity.during(self._checks.check(text, question, sources, filters))

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
        route = Route(self._settings, self._models, self._must_stay, "sentence", 1)
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

    def _decider(self, live_index: LiveIndex) -> Callable[[str], Decision]:
        serving = live_index.serving
        classifier = self._classifiers.of(serving.space.model, serving.embedder)
        return lambda question: classifier.decide(live_index.query_vectors.of(serving.embedder, question))

    def _must_stay(self, passage: Passage) -> bool:
        return bool(self._local_only) and self._local_only.holds(self._catalog.document(passage.document_id))

    def _told(
        self, question: str, history: Sequence[Turn], decide: Callable[[str], Decision]
    ) -> tuple[list[SubQuestion], list[Turn]]:
        """What a model is told of the parts of a question and of what was said before.

        An earlier answer may quote what is to stay here: where an engine is elsewhere, what was asked is told alone.
        """
        are_all_here = set(engines_here(self._settings)) == {"large"} | (
            {"small"} if self._models.small_model else set()
        )
        if not self._local_only or are_all_here:
            return _sub_questions(question, history[-_TURNS_REFERRED_TO:], decide), [
                turn for turn in history if turn.answer
            ]
        asked = [Turn(turn.question, "") for turn in history]
        return _sub_questions(question, asked[-_TURNS_REFERRED_TO:], decide), []

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


def _sub_questions(question: str, history: Sequence[Turn], decide: Callable[[str], Decision]) -> list[SubQuestion]:
    """What a question asks, with what is searched for; a later part may refer to the first as to an earlier turn."""
    first, *others = split(question, surely_several=decide(question).several)
    turns = [*history, Turn(first, "")]
    return [
        SubQuestion(first, self_contained(first, history, decide)),
        *(SubQuestion(text, self_contained(text, turns, decide)) for text in others),
    ]


def _of_kind(kind: QuestionKind, events: Generator[AnswerEvent, None, None]) -> Generator[AnswerEvent, None, None]:
    """The events of an answer; the last tells of what kind the question is."""
    with closing(events):
        for event in events:
            yield Done(replace(event.answer, kind=kind)) if isinstance(event, Done) else event


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
