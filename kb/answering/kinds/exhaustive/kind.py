"""Answers that name all of something."""

from collections.abc import Generator, Sequence
from dataclasses import replace

from kb.answering.drafting.clock import QuestionClock
from kb.answering.kinds.cited_text import Assembly
from kb.answering.kinds.engine import route_of, writer_on
from kb.answering.kinds.exhaustive.bounds import Bound, bound_of
from kb.answering.kinds.exhaustive.items import cited
from kb.answering.kinds.exhaustive.reading import (
    MOST_READ,
    WORDS_BESIDE,
    Gathered,
    by_form,
    by_reading,
    passages_to_read,
    those_that_belong,
)
from kb.answering.kinds.exhaustive.recognised import AMBIGUOUS
from kb.answering.kinds.exhaustive.saying import Tally, laid_out, tally_text
from kb.answering.kinds.exhaustive.scope import Scope, nearest, scope_of
from kb.answering.kinds.exhaustive.wanted import Wanted, WantedForms
from kb.answering.kinds.exhaustive.worth_copying import BOUNDS, FirstLook
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.refusing import refused
from kb.answering.sources.freshness import FreshPassages
from kb.answering.sources.reading import Reader
from kb.answering.understanding.followup import self_contained
from kb.judging.evidence import likelihood
from kb.ports import LanguageModel
from kb.values.answers import Answer, AnswerEvent, Done, PassagesFound, Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

MOST_SHOWN = 200
"""So many items an answer has."""


class ExhaustiveKind:
    """Adapter of `kb.answering.kinds.kind.Kind`.

    What is known by its form is taken from all passages of the scope; else, or where none has the form and something
    else may be meant, a model reads them, or those that are nearest to the question. Where more is asked for than a
    form, the model looks at each item.
    """

    def __init__(self) -> None:
        self._wanted = WantedForms()

    def events(self, asked: Asked, resources: Resources) -> Generator[AnswerEvent, None, None] | None:
        """See `Kind`."""
        question = self_contained(asked.question, asked.history, asked.decide)
        embedder = asked.live_index.serving.embedder
        scope = scope_of(question, asked.filters, resources.catalog, self._wanted.frame)
        if not scope.document_ids:
            return None
        near = FreshPassages(
            lambda k: asked.live_index.passages(question, k, scope.filters), resources.catalog.document, resources.files
        )
        wanted = self._wanted.of(question, embedder, scope.named)
        return near.declared(_Search(question, asked, resources, scope, wanted).events(near))


class _Search:
    """The search for one question."""

    def __init__(self, question: str, asked: Asked, resources: Resources, scope: Scope, wanted: Wanted) -> None:
        self._question = question
        self._asked = asked
        self._resources = resources
        self._scope = scope
        self._wanted = wanted
        self._model = ""

    def events(self, near: FreshPassages) -> Generator[AnswerEvent, None, None]:
        clock = QuestionClock()
        passages = near.find(MOST_READ)
        shown = passages[: self._asked.top_k]
        clock.mark("retrieve_ms")
        yield PassagesFound(shown)
        answer = Answer(passages=shown, index=self._asked.index, kind="exhaustive")
        gathered = yield from self._gathered(passages)
        if gathered is None:
            yield from refused(self._asked.question, answer, clock, "stale" if near.stale else "local_only")
            return
        clock.mark("first_answer_ms")
        groups, assembly = gathered.groups[:MOST_SHOWN], Assembly()
        yield from laid_out([cited(group) for group in groups], self._asked.question, assembly)
        tally = replace(gathered.tally, unshown=len(gathered.groups) - len(groups))
        told = tally_text(self._asked.question, len(groups), tally)
        yield from assembly.say(f"\n\n{told}" if groups else told)
        is_answer = bool(groups) or not (tally.unread or tally.far)
        yield Done(
            replace(
                answer,
                answer=assembly.text,
                citations=tuple(assembly.citations),
                answerable=is_answer,
                model=self._model,
                finish_reason="stop" if is_answer else "no_evidence",
                timings=clock.timings(),
                evidence=float(is_answer),
            )
        )

    def _gathered(self, near: tuple[Passage, ...]) -> Generator[Heartbeat | Step, None, Gathered | None]:
        """Returns None where no engine may see the passages."""
        if not self._wanted.forms:
            return (yield from self._by_reading(near))
        bound = bound_of(self._question)
        gathered = yield from self._by_form(bound)
        if gathered.groups or bound is not None or self._wanted.is_plain:
            return gathered
        # "Who gave me something for free" may have been taken for amounts.
        return (yield from self._by_reading(near)) or gathered

    def _by_form(self, bound: Bound | None) -> Generator[Heartbeat | Step, None, Gathered]:
        gathered = by_form(self._scope, self._wanted.forms, self._resources.catalog, bound)
        if gathered.groups and not (self._wanted.is_plain and AMBIGUOUS.isdisjoint(self._wanted.forms)):
            yield from self._keep_what_belongs(gathered)
        return gathered

    def _by_reading(self, near: tuple[Passage, ...]) -> Generator[Heartbeat | Step, None, Gathered | None]:
        """Returns None where no engine may see the passages."""
        scope = nearest(self._scope, near) if self._asked.is_calibrated and not self._scope.named else self._scope
        passages, unread = passages_to_read(scope, self._resources.catalog, near)
        route, admitted = route_of(passages, self._resources)
        if not admitted:
            return None
        writer = yield from writer_on(route, self._asked, self._resources)
        self._model = writer.model.info.name
        find_instructions = self._resources.finders.of(self._asked.live_index.serving).found
        first_look = self._first_look(near, writer.model)
        groups, skipped = yield from by_reading(self._question, admitted, writer, find_instructions, first_look)
        documents = len({passage.document_id for passage in admitted})
        kept_here = len(passages) - len(admitted)
        far = len(self._scope.document_ids) - len(scope.document_ids)
        tally = Tally(documents, len(admitted), unread=unread + kept_here, skipped=skipped, far=far)
        gathered = Gathered(groups, tally)
        if groups:
            yield from self._keep_what_belongs(gathered, WORDS_BESIDE)
        return gathered

    def _first_look(self, near: Sequence[Passage], model: LanguageModel) -> FirstLook:
        is_calibrated = self._asked.is_calibrated
        likely = [(each, likelihood(self._question, each, is_calibrated=is_calibrated)) for each in near]
        return FirstLook(self._question, likely, Reader(model, self._resources.judges.calibration(model), BOUNDS))

    def _keep_what_belongs(
        self, gathered: Gathered, words_beside_them: int = 0
    ) -> Generator[Heartbeat | Step, None, None]:
        """Has the model look at each item; where no model may see them all, none is looked at."""
        passages = [group[0].quote.passage for group in gathered.groups]
        route, admitted = route_of(passages, self._resources)
        if len(admitted) < len(passages):
            gathered.tally = replace(gathered.tally, unjudged=len(passages))
            return
        writer = yield from writer_on(route, self._asked, self._resources)
        self._model = writer.model.info.name
        kept, dropped, unjudged = yield from those_that_belong(
            self._question, gathered.groups, writer, words_beside_them
        )
        gathered.groups = kept
        gathered.tally = replace(gathered.tally, dropped=dropped, unjudged=unjudged)
