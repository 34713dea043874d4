"""From a question as it was asked to the stream of its answer: limits, options, models that may still be loading.

Knows nothing about documents beyond the passages that are found.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from kb.answering.activity import Activity
from kb.answering.checking import TextChecks
from kb.answering.drafting.talking import talk_events
from kb.answering.engines.routing import Route
from kb.answering.kinds.document.kind import DocumentKind
from kb.answering.kinds.exhaustive.kind import ExhaustiveKind
from kb.answering.kinds.inventory.inventory import Inventory
from kb.answering.kinds.inventory.kind import InventoryKind
from kb.answering.kinds.kind import Asked, Kind, Resources
from kb.answering.kinds.lookup import LookupKind
from kb.answering.kinds.parts.going_on import gone_on
from kb.answering.kinds.parts.kind import PartsKind
from kb.answering.prompts.read_ahead import NOTHING_READ
from kb.answering.remarks import without_remark
from kb.answering.understanding.decide import Classifiers, Decision, FitClassifier
from kb.answering.understanding.features import features_of
from kb.answering.understanding.subquestions import split
from kb.answering.understanding.wishes import WishReader
from kb.errors import InvalidRequest, KBError, RequestTooLarge
from kb.indexing.live_index import LiveIndex
from kb.values.answers import (
    AS_SET,
    AnswerEvent,
    AskOptions,
    CheckedStatement,
    IndexState,
    QuestionKind,
    Routing,
    Thinking,
    Verification,
)
from kb.values.chat import GenerationOptions, Heartbeat, Message, Turn
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage

MAX_TOP_K = 50
MAX_HISTORY_TURNS = 100
MAX_HISTORY_CHARS = 400_000
"""Longer conversations are refused: nobody writes so much, and reading it would take seconds."""


class Questions:
    """Answers questions.

    Args:
        resources: What all kinds of questions are answered with.
        index_state: Tells how current the index is.
        fit_classifier: Makes what decides about questions, once for each embedding model.
    """

    def __init__(
        self,
        resources: Resources,
        index_state: Callable[[], IndexState],
        fit_classifier: FitClassifier,
    ) -> None:
        self._resources = resources
        self._index_state = index_state
        self._lookup = LookupKind()
        self._kinds: dict[QuestionKind, Kind] = {
            "inventory": InventoryKind(Inventory(resources.catalog)),
            "document": DocumentKind(),
            "parts": PartsKind(),
            "exhaustive": ExhaustiveKind(),
        }
        self._classifiers = Classifiers(fit_classifier)
        self._wishes = WishReader()
        self._activity = Activity()
        self._preparing = threading.Lock()
        self._sources_read = NOTHING_READ
        self._checks = TextChecks(resources)

    def fit_ahead(self) -> None:
        """Fits what is told from embeddings to a new embedding model. See `KnowledgeBase.fit_ahead`."""
        with suppress(KBError):  # who asks is told
            if upkeep := self._resources.models.upkeep.wait():
                serving = upkeep.live_index.serving
                self._classifiers.of(serving.space.model, serving.embedder)
                self._resources.finders.of(serving).get_ready()

    def ask(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[AnswerEvent, None, None]:
        """Answers a question bit by bit. See `kb.knowledge_base.KnowledgeBase.ask_stream`."""
        asked = self._asked(self._resources.models.live_index(), question, history, options)
        return self._activity.during(self._events(asked, self._resources.routed(options.routing)))

    def _events(self, asked: Asked, resources: Resources) -> Generator[AnswerEvent, None, None]:
        """Answers as a kind of question wants it; in doubt as a lookup."""
        kind = self._kinds.get(asked.decision.kind, self._lookup)
        if events := kind.events(asked, resources):
            return gone_on(asked, resources, events) if asked.decision.may_be_parts else events
        return self._lookup.events(asked, resources)

    def prepare(self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET) -> None:
        """Has the model read the sources of a question that is being written. See `KnowledgeBase.prepare`."""
        upkeep = self._resources.models.upkeep.get()
        if self._resources.settings.read_ahead == "off" or upkeep is None:
            return
        self._activity.note()
        if not self._preparing.acquire(blocking=False):
            return
        try:
            asked = self._asked(upkeep.live_index, question, history, options)
            # What kind it will be, its beginning does not tell.
            self._sources_read = self._lookup.read_ahead(asked, self._resources)
        finally:
            self._preparing.release()

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        """Checks a text. See `kb.knowledge_base.KnowledgeBase.verify_stream`."""
        question = self._checked(question, None) if question else ""
        return self._activity.during(self._checks.check(text, question, sources, filters))

    @property
    def asking(self) -> tuple[int, int]:
        """How many questions are being answered, and how many wait for the model."""
        return self._activity.running, self._activity.waiting

    @property
    def is_idle(self) -> bool:
        """Whether nobody has asked for a while."""
        return self._activity.is_idle

    def talk(
        self,
        messages: Sequence[Message],
        thinking: Thinking | None = None,
        answer_tokens: int | None = None,
        routing: Routing | None = None,
    ) -> Generator[AnswerEvent, None, None]:
        """Lets the model reply without any documents. See `kb.knowledge_base.KnowledgeBase.talk`."""
        _check_chars(sum(len(message.content) for message in messages))
        budgets, chosen = self._resources.budgets, thinking or self._resources.settings.thinking
        reasoning_tokens = {"off": 0, "auto": budgets.short, "short": budgets.short, "full": budgets.full}[chosen]
        limits = replace(self._limits(answer_tokens), reasoning_tokens=reasoning_tokens)
        resources = self._resources.routed(routing)
        route = Route(resources.settings, resources.models, resources.must_stay, "sentence", 1)
        route.admit_talk(may_quote_what_must_stay=bool(resources.local_only))
        return self._activity.during(talk_events(messages, limits, route.model))

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages. See `kb.knowledge_base.KnowledgeBase.search`."""
        query = self._checked(query, top_k)
        live_index = self._resources.models.live_index()
        return live_index.passages(query, top_k or self._resources.settings.top_k, filters)

    def _asked(self, live_index: LiveIndex, question: str, history: Sequence[Turn], options: AskOptions) -> Asked:
        settings = self._resources.settings
        question = self._checked(question, options.top_k)
        _check_history(history)
        return Asked(
            question=question,
            history=[Turn(turn.question, without_remark(turn.answer)) for turn in history],
            decision=self._decision(live_index, question, options.kind),
            decide=partial(self._decision, live_index),
            filters=options.filters,
            top_k=options.top_k or settings.top_k,
            thinking=options.thinking or settings.thinking,
            limits=self._limits(options.answer_tokens),
            wishes=self._wishes.read(options.wishes, live_index.serving.embedder),
            effort=options.effort or settings.effort,
            others_wait=lambda: self._activity.waiting > 0,
            live_index=live_index,
            index=self._index_state(),
            read=self._sources_read,
        )

    def _limits(self, answer_tokens: int | None) -> GenerationOptions:
        most = self._resources.settings.answer_tokens
        wanted = most if answer_tokens is None else min(answer_tokens, most)
        return GenerationOptions(answer_tokens=wanted, seconds=self._resources.settings.answer_seconds)

    def _decision(self, live_index: LiveIndex, question: str, kind: QuestionKind | None = None) -> Decision:
        """Decides about a question; several in one are seen better from its words, where these are known."""
        serving = live_index.serving
        classifier = self._classifiers.of(serving.space.model, serving.embedder)
        vector = live_index.query_vectors.of(serving.embedder, question)
        decision = classifier.decide(features_of(question, vector), kind)
        is_lookup = kind is None and decision.kind == "lookup"
        are_parts = is_lookup and len(split(question, surely_several=decision.several)) > 1
        return replace(decision, kind="parts") if are_parts else decision

    def _checked(self, question: str, top_k: int | None) -> str:
        question = question.strip()
        limit = self._resources.settings.max_question_chars
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
