"""From a question as it was asked to the stream of its answer: limits, options, models that may still be loading.

Knows nothing about documents beyond the passages that are found.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering.clock import QuestionClock
from kb.answering.decide import Classifiers, Decision, FitClassifier, classifier_for
from kb.answering.followup import self_contained
from kb.answering.freshness import FreshPassages
from kb.answering.inventory import Inventory, Listing
from kb.answering.lookup import answer_events
from kb.answering.models import Models
from kb.answering.remarks import without_remark
from kb.answering.retrieval import RetrievalResult, SubQuestion, SubQuestionSearch
from kb.answering.subquestions import split
from kb.answering.thinking import ThinkingBudgets
from kb.answering.writing import AnswerOptions
from kb.catalog.catalog import Catalog
from kb.errors import InvalidRequest, RequestTooLarge
from kb.indexing.live_index import LiveIndex, Serving
from kb.judging.evidence import CALIBRATED_MODEL
from kb.judging.instructions import InstructionFinder
from kb.models.loading import LoadState
from kb.ports import Freshness, LanguageModel, Restartable
from kb.settings import Settings
from kb.values.answers import (
    Answer,
    AnswerDelta,
    AnswerEvent,
    Done,
    IndexState,
    PassagesFound,
    QuestionKind,
    Thinking,
)
from kb.values.chat import GenerationOptions, Turn
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage

MAX_TOP_K = 50
MAX_HISTORY_TURNS = 100
MAX_HISTORY_CHARS = 400_000
"""Longer conversations are refused: nobody writes so much, and reading it would take seconds."""

_TURNS_REFERRED_TO = 8  # a question does not lean on what was said longer ago
HEARTBEAT_SECONDS = 0.5


class Questions:
    """Answers questions.

    Args:
        models: In use; waited for.
        index_state: Tells how current the index is.
        catalog: Of the documents.
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
        fit_classifier: FitClassifier = classifier_for,
    ) -> None:
        self._settings = settings
        self._models = models
        self._index_state = index_state
        self._catalog = catalog
        self._inventory = Inventory(catalog)
        self.files: Freshness | None = None
        self._instructions: InstructionFinder | None = None
        self._classifiers = Classifiers(fit_classifier)

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
        live_index = self._models.live_index()
        decide = self._decider(live_index)
        decision = decide(question)
        if decision.kind == "inventory":
            if (not history or not decision.leans) and (listing := self._inventory.answer(question, filters)):
                return self._listed(question, listing, live_index, top_k or settings.top_k)
            decision = replace(decision, kind="lookup")
        sub_questions = _sub_questions(question, history[-_TURNS_REFERRED_TO:], decide)
        options = AnswerOptions(
            question=question,
            sub_questions=sub_questions,
            history=[turn for turn in history if turn.answer],
            thinking=thinking or settings.thinking,
            budgets=ThinkingBudgets(settings.reasoning_short_tokens, settings.reasoning_full_tokens),
            limits=GenerationOptions(answer_tokens=settings.answer_tokens, seconds=settings.answer_seconds),
            passage_tokens=settings.passage_tokens,
            min_evidence=settings.min_evidence,
            form=decision.form,
        )
        is_calibrated = live_index.serving.space.model == CALIBRATED_MODEL
        searches = SubQuestionSearch(
            sub_questions, lambda query, k: live_index.passages(query, k, filters), is_calibrated
        )
        fresh = FreshPassages(searches.passages, self._catalog.document, self.files)

        def retrieve() -> RetrievalResult:
            passages = fresh.find(top_k or settings.top_k)
            why = "stale" if fresh.stale else "filters" if filters else "empty"
            return RetrievalResult(passages, searches.evidence(passages), "" if passages else why)

        events = answer_events(
            options,
            retrieve=retrieve,
            model=self._model_if_ready,
            embed=live_index.serving.embedder.embed_passages,
            index=self._index_state(),
            find_instructions=self._finder(live_index.serving).found,
        )
        return _of_kind(decision.kind, fresh.declared(events))

    def search(self, query: str, top_k: int | None = None, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        """Finds passages. See `kb.knowledge_base.KnowledgeBase.search`."""
        query = self._checked(query, top_k)
        live_index = self._models.live_index()
        return live_index.passages(query, top_k or self._settings.top_k, filters)

    def _listed(
        self, question: str, listing: Listing, live_index: LiveIndex, top_k: int
    ) -> Generator[AnswerEvent, None, None]:
        """The events of an answer that names documents; the passages are theirs."""
        clock = QuestionClock()
        first = Filters(document_ids=tuple(document.id for document in listing.documents))
        passages = live_index.passages(question, top_k, first) if first else ()
        clock.mark("retrieve_ms")
        yield PassagesFound(passages)
        clock.mark("first_answer_ms")
        yield AnswerDelta(listing.text)
        yield Done(
            Answer(
                answer=listing.text,
                passages=passages,
                answerable=True,
                finish_reason="stop",
                timings=clock.timings(),
                index=self._index_state(),
                evidence=1.0,
                kind="inventory",
                documents=listing.documents,
            )
        )

    def _decider(self, live_index: LiveIndex) -> Callable[[str], Decision]:
        serving = live_index.serving
        classifier = self._classifiers.of(serving.space.model, serving.embedder)
        return lambda question: classifier.decide(live_index.query_vectors.of(serving.embedder, question))

    def _finder(self, serving: Serving) -> InstructionFinder:
        finder = self._instructions
        if finder is None or not finder.is_of(serving.embedder):
            self._instructions = finder = InstructionFinder(serving.space.model, serving.embedder)
        return finder

    def _model_if_ready(self) -> LanguageModel | None:
        if self._models.answering_model.status.state is LoadState.DOWNLOADING:
            return self._models.answering_model.require(0)
        model = self._models.answering_model.wait(HEARTBEAT_SECONDS)
        if model is None or (isinstance(model, Restartable) and not model.ready(HEARTBEAT_SECONDS)):
            return None
        return model

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
    chars = sum(len(turn.question) + len(turn.answer) for turn in history)
    if len(history) > MAX_HISTORY_TURNS or chars > MAX_HISTORY_CHARS:
        raise RequestTooLarge(
            f"the history has {len(history):,} turns and {chars:,} characters; the limits are {MAX_HISTORY_TURNS:,} and"
            f" {MAX_HISTORY_CHARS:,}",
            "leave out the oldest turns",
        )
