"""A question → a stream of events: passages, reasoning, answer, citations, and the whole answer last.

Whether to answer at all is decided before anything is generated: by what the search found, and then, where the model is
known for it, by what the model finds in the sources.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering import remarks
from kb.answering.drafting.clock import QuestionClock
from kb.answering.drafting.writing import AnswerOptions, AnswerWriter
from kb.answering.engines.judges import Judges
from kb.answering.engines.routing import Route, engines_here
from kb.answering.kinds.engine import looking_model
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.prompts.instructions import FindInstructions, without_instructions
from kb.answering.prompts.read_ahead import SourcesRead
from kb.answering.prompts.source_budget import source_tokens
from kb.answering.sources.freshness import FreshPassages
from kb.answering.sources.retrieval import RetrievalResult, SubQuestion, SubQuestionSearch
from kb.answering.sources.widening import WideSearch
from kb.answering.understanding.followup import Decide, self_contained
from kb.answering.understanding.subquestions import split
from kb.citing.citations import EmbedSentences
from kb.judging.evidence import CALIBRATED_MODEL
from kb.ports import AheadReader, LanguageModel
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, IndexState, PassagesFound
from kb.values.chat import Heartbeat, Turn
from kb.values.documents import DocumentInfo
from kb.values.passages import Passage

Events = Generator[AnswerEvent, None, None]

_TURNS_REFERRED_TO = 8  # a question does not lean on what was said longer ago


class LookupKind:
    """Adapter of `kb.answering.kinds.kind.Kind` for any question: it is answered from the passages nearest to it."""

    def events(self, asked: Asked, resources: Resources) -> Generator[AnswerEvent, None, None]:
        """See `Kind`."""
        searches, route = _ways(asked, resources)
        answered = self._answered(asked, resources, searches, route)
        return answered if asked.effort == "quick" else self._after_wide_search(asked, resources, searches, answered)

    def _after_wide_search(
        self, asked: Asked, resources: Resources, searches: SubQuestionSearch, answered: Events
    ) -> Events:
        """Searches with the help of the model before it answers."""
        found: dict[str, Sequence[Passage]] = {}
        with closing(answered):
            model = yield from looking_model(resources)
            may_see = lambda each: not (resources.models.looks_elsewhere and resources.must_stay(each))  # noqa: E731
            for part in searches.parts:
                wide = WideSearch(searches.search, model, may_see, resources.judges.calibration(model))
                found[part.query] = yield from wide.passages(part.query, asked.top_k)
            search = searches.search
            # Once: who searches again does it because files have changed.
            searches.search = lambda query, k: found.pop(query, None) or search(query, k)
            yield from answered

    def _answered(self, asked: Asked, resources: Resources, searches: SubQuestionSearch, route: Route) -> Events:
        serving = asked.live_index.serving
        fresh = FreshPassages(searches.passages, resources.catalog.document, resources.files)

        def retrieve() -> RetrievalResult:
            passages = fresh.find(asked.top_k)
            why = "stale" if fresh.stale else "filters" if asked.filters else "empty"
            found = RetrievalResult(passages, searches.evidence(passages), "" if passages else why)
            return route.admit(found, searches.evidence)

        events = answer_events(
            _options(asked, resources),
            retrieve=retrieve,
            model=route.model,
            embed=serving.embedder.embed_passages,
            index=asked.index,
            find_instructions=resources.finders.of(serving).found,
            judges=resources.judges,
            day_of=lambda document_id: _day(resources.catalog.document(document_id)),
        )
        return route.declared(fresh.declared(events))

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


def answer_events(
    options: AnswerOptions,
    retrieve: Callable[[], RetrievalResult],
    model: Callable[[], LanguageModel | None],
    embed: EmbedSentences,
    index: IndexState,
    find_instructions: FindInstructions,
    judges: Judges,
    day_of: Callable[[str], str],
) -> Generator[AnswerEvent, None, None]:
    """Answers one question.

    Closing the generator stops the generation.

    Args:
        retrieve: Finds the passages.
        model: Gives the language model, or None after a moment while it loads; called after the passages are out, and
            not at all without evidence.
        embed: For citations across languages.
        index: How current the index is.
        find_instructions: What is kept from the model.
        judges: Who says what the passages bear out.
        day_of: The day of a document, given its id: `2026-03-01`.

    Yields:
        `PassagesFound` first, `Done` last.
    """
    clock = QuestionClock()
    found = retrieve()
    clock.mark("retrieve_ms")
    yield PassagesFound(found.passages)
    answer = Answer(passages=found.passages, evidence=max(found.evidence, default=0.0), index=index)
    if not found.passages or not options.answered(found.evidence):
        yield from _refuse(options, found, answer, clock)
        return
    while (language_model := model()) is None:
        yield Heartbeat()
    readable, kept_back = without_instructions(found.passages, find_instructions)
    writer = AnswerWriter(options, replace(found, passages=readable), language_model, embed, judges, clock)
    is_answered = yield from writer.events()
    answer = replace(answer, evidence=max(writer.evidence), model=language_model.info.name)
    if not is_answered:
        yield from _refuse(options, found, answer, clock)
        return
    answer = replace(answer, left_out=replace(writer.left_out, instructions=kept_back))
    yield from _finish(writer, options.question, answer, clock, day_of)


def _finish(
    writer: AnswerWriter, question: str, answer: Answer, clock: QuestionClock, day_of: Callable[[str], str]
) -> Generator[AnswerEvent, None, None]:
    """Says what is left to be said beside what was written, and puts all together."""
    draft, is_borne_out = writer.draft, not writer.draft.is_unsupported
    written = draft.answer
    disagreement = (yield from writer.disagreement(day_of)) if is_borne_out else ()
    if is_borne_out:
        yield from writer.remark()
    yield Done(
        replace(
            answer,
            answer=draft.answer if is_borne_out else remarks.unsupported(question),
            draft="" if is_borne_out else written,
            reasoning=draft.reasoning,
            citations=draft.citations,
            answerable=bool(written) and is_borne_out,
            unanswered=writer.unanswered,
            finish_reason=draft.finish_reason if is_borne_out else "unsupported",
            timings=clock.timings(draft.end),
            disagreement=disagreement,
        )
    )


def _refuse(
    options: AnswerOptions, found: RetrievalResult, answer: Answer, clock: QuestionClock
) -> Iterator[AnswerEvent]:
    text = remarks.refusal(options.question, found.nothing_because, answer.index.pending)
    yield AnswerDelta(text)
    yield Done(replace(answer, answer=text, finish_reason="no_evidence", timings=clock.timings()))


def _ways(asked: Asked, resources: Resources) -> tuple[SubQuestionSearch, Route]:
    """How the passages are found, and which engine answers from them."""
    sub_questions = _sub_questions(asked.question, asked.history[-_TURNS_REFERRED_TO:], asked.decide)
    is_calibrated = asked.live_index.serving.space.model == CALIBRATED_MODEL
    searches = SubQuestionSearch(sub_questions, asked.search, is_calibrated)
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
