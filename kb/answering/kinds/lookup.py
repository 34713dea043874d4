"""A question → a stream of events: passages, reasoning, answer, citations, and the whole answer last."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering.drafting.clock import QuestionClock
from kb.answering.drafting.writing import AnswerOptions, AnswerWriter
from kb.answering.engines.routing import Route, engines_here
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.looking_further import LookingFurther
from kb.answering.kinds.lookup_answer import LookupAnswer
from kb.answering.prompts.instructions import without_instructions
from kb.answering.prompts.read_ahead import SourcesRead
from kb.answering.prompts.source_budget import source_tokens
from kb.answering.sources.freshness import FreshPassages
from kb.answering.sources.retrieval import RetrievalResult, SubQuestion, SubQuestionSearch
from kb.answering.understanding.followup import Decide, self_contained
from kb.answering.understanding.subquestions import split
from kb.ports import AheadReader
from kb.values.answers import AnswerEvent, Step
from kb.values.chat import Heartbeat, Turn
from kb.values.documents import DocumentInfo

Events = Generator[AnswerEvent, None, None]

_TURNS_REFERRED_TO = 8  # a question does not lean on what was said longer ago


class LookupKind:
    """Adapter of `kb.answering.kinds.kind.Kind` for any question: it is answered from the passages nearest to it."""

    def events(self, asked: Asked, resources: Resources) -> Generator[AnswerEvent, None, None]:
        """See `Kind`."""
        searches, route = _ways(asked, resources)
        further = LookingFurther(asked, resources, searches)
        answered = self._answered(asked, resources, searches, route, further)
        return _after(further.thoroughly(), answered) if asked.effort == "thorough" else answered

    def _answered(
        self,
        asked: Asked,
        resources: Resources,
        searches: SubQuestionSearch,
        route: Route,
        further: LookingFurther,
    ) -> Events:
        serving = asked.live_index.serving
        fresh = FreshPassages(searches.passages, resources.catalog.document, resources.files)

        def retrieve() -> RetrievalResult:
            passages = fresh.find(asked.top_k)
            why = "stale" if fresh.stale else "filters" if asked.filters else "empty"
            found = RetrievalResult(passages, searches.evidence(passages), "" if passages else why)
            return route.admit(found, searches.evidence)

        answer = LookupAnswer(
            _options(asked, resources),
            retrieve=retrieve,
            look_further=further.by_itself,
            model=route.model,
            embed=serving.embedder.embed_passages,
            index=asked.index,
            find_instructions=resources.finders.of(serving).found,
            judges=resources.judges,
            day_of=lambda document_id: _day(resources.catalog.document(document_id)),
        )
        return route.declared(fresh.declared(answer.events()))

    def read_ahead(self, asked: Asked, resources: Resources) -> SourcesRead:
        """Has the model read what `events` would tell it of a question so far; files are not looked at."""
        serving = asked.live_index.serving
        searches, route = _ways(asked, resources)
        passages = searches.passages(asked.top_k)
        found = route.admit(RetrievalResult(passages, searches.evidence(passages)), searches.evidence)
        model = route.at_hand()
        if not (found.passages and model and isinstance(model, AheadReader)):
            return asked.read
        readable, _ = without_instructions(found.passages, resources.finders.of(serving).found)
        found, embed = replace(found, passages=readable), serving.embedder.embed_passages
        options = _options(asked, resources)
        writer = AnswerWriter(options, found, model, embed, resources.judges, QuestionClock())
        return SourcesRead(asked.question, options.passage_tokens, writer.read_ahead(model))


def _after(work: Generator[Step | Heartbeat, None, None], events: Events) -> Events:
    """The events of an answer, after some work for it."""
    with closing(events):
        yield from work
        yield from events


def _ways(asked: Asked, resources: Resources) -> tuple[SubQuestionSearch, Route]:
    """How the passages are found, and which engine answers from them."""
    sub_questions = _sub_questions(asked.question, asked.history[-_TURNS_REFERRED_TO:], asked.decide)
    searches = SubQuestionSearch(sub_questions, asked.search, asked.is_calibrated)
    form, parts = asked.decision.form, len(sub_questions)
    return searches, Route(resources.settings, resources.models, resources.must_stay, form, parts)


def _day(document: DocumentInfo | None) -> str:
    return document.day if document else ""


def _options(asked: Asked, resources: Resources) -> AnswerOptions:
    told, told_history = _told(asked, resources)
    things = max(len(told), len(asked.things))
    budget = source_tokens(resources.settings.passage_tokens, asked.decision.form, things)
    return AnswerOptions(
        question=asked.question if told_history or not asked.history else "\n".join(part.query for part in told),
        sub_questions=told,
        history=told_history,
        thinking=asked.thinking,
        budgets=resources.budgets,
        limits=asked.limits,
        passage_tokens=budget,
        min_evidence=resources.settings.min_evidence,
        form=asked.decision.form,
        wishes=asked.wishes,
        read=asked.read.of(asked.question, budget) if things < 2 else (),
    )


def _told(asked: Asked, resources: Resources) -> tuple[list[SubQuestion], list[Turn]]:
    """What a model is told of the parts of a question and of what was said before.

    An earlier answer may quote what is to stay here: where an engine is elsewhere, what was asked is told alone.
    """
    are_all_here = set(engines_here(resources.settings)) == {"large"} | (
        {"small"} if resources.models.small_model else set()
    )
    history: Sequence[Turn] = asked.history
    if resources.local_only and not are_all_here:
        history = [Turn(turn.question, "") for turn in history]
    parts = _sub_questions(asked.question, history[-_TURNS_REFERRED_TO:], asked.decide)
    return parts, [turn for turn in history if turn.answer]


def _sub_questions(question: str, history: Sequence[Turn], decide: Decide) -> list[SubQuestion]:
    """What a question asks, with what is searched for; a later part may refer to the first as to an earlier turn."""
    first, *others = split(question, surely_several=decide(question).several)
    turns = [*history, Turn(first, "")]
    return [
        SubQuestion(first, self_contained(first, history, decide)),
        *(SubQuestion(text, self_contained(text, turns, decide)) for text in others),
    ]
