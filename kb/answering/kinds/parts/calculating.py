"""Has the numbers copied that a question needs, and computes with them; where that fails, the question is looked up."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from kb.answering.drafting.clock import QuestionClock
from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.cited_text import Assembly, CitedText
from kb.answering.kinds.engine import route_of, writer_on
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.lookup import LookupKind
from kb.answering.kinds.parts.asking_for_numbers import (
    REPLY_TOKENS,
    asking_for_numbers,
    examples_in,
    what_to_copy,
    with_dates,
)
from kb.answering.kinds.parts.calculation import Calculation, NotComputed, calculate
from kb.answering.kinds.parts.operands import Copied, copied_numbers, days_given
from kb.answering.kinds.parts.putting_together import whole_answer
from kb.answering.kinds.parts.saying import not_computed, operand_line, result_line
from kb.answering.prompts.instructions import without_instructions
from kb.answering.prompts.tokens import token_counter
from kb.answering.sources.freshness import FreshPassages
from kb.answering.understanding.followup import self_contained
from kb.text.amounts import days_in
from kb.values.answers import Answer, AnswerEvent, Done, LeftOut, PassagesFound, Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

_READ_MORE = 2
"""Where numbers stand in several places, so many times as much is read as for one fact."""

Events = Generator[AnswerEvent, None, None]


@dataclass(frozen=True, slots=True)
class _Computed:
    """A calculation with what bears its numbers out."""

    calculation: Calculation
    lines: tuple[CitedText, ...]

    def answer(self, question: str) -> Generator[AnswerEvent, None, Answer]:
        """Says it."""
        assembly = Assembly()
        for line in self.lines:
            yield from assembly.say("- " if not assembly.text else "\n- ")
            yield from assembly.cite(line)
        yield from assembly.say(f"\n\n{result_line(self.calculation, question)}")
        citations = tuple(assembly.citations)
        return Answer(
            answer=assembly.text, citations=citations, answerable=True, finish_reason="stop", evidence=1.0, kind="parts"
        )


def calculated(asked: Asked, resources: Resources) -> Events:
    """Answers with a calculation.

    Args:
        asked: Its operation is another than `none`.
    """
    clock = QuestionClock()
    question = self_contained(asked.question, asked.history, asked.decide)
    serving = asked.live_index.serving
    fresh = FreshPassages(lambda k: asked.search(question, k), resources.catalog.document, resources.files)
    route, passages = route_of(fresh.find(_READ_MORE * asked.top_k), resources)
    clock.mark("retrieve_ms")
    yield PassagesFound(passages)
    yield Step("numbers")
    writer = yield from writer_on(route, asked, resources)
    readable, kept_back = without_instructions(passages, resources.finders.of(serving).found)
    calculating = _Calculating(asked, resources, question, readable, writer)
    computed = yield from calculating.with_numbers_of((yield from calculating.reply()))
    if isinstance(computed, NotComputed):
        yield from _looked_up_instead(calculating, computed)
        return
    clock.mark("first_answer_ms")
    answer = yield from computed.answer(asked.question)
    whole = replace(
        answer,
        passages=passages,
        model=writer.model.info.name,
        timings=clock.timings(),
        index=asked.index,
        left_out=LeftOut(instructions=kept_back),
    )
    yield from route.declared(fresh.declared(each for each in (Done(whole),)))


@dataclass(frozen=True, slots=True)
class _Calculating:
    """What one calculation is made with.

    Attributes:
        question: Understood without what was said before.
        passages: That may be read.
    """

    asked: Asked
    resources: Resources
    question: str
    passages: Sequence[Passage]
    writer: CheckedWriter

    def reply(self) -> Generator[Heartbeat, None, str]:
        """Has the numbers copied."""
        copying = what_to_copy(self.asked.decision.operation)
        count = token_counter(self.writer.model).count_tokens
        budget = _READ_MORE * self.resources.settings.passage_tokens
        prompt = asking_for_numbers(self.question, self._shown, count, budget, copying)
        return (yield from self.writer.write(prompt, REPLY_TOKENS, examples_in(self.question, copying)))

    def with_numbers_of(self, reply: str) -> Generator[Heartbeat, None, _Computed | NotComputed]:
        """Computes with the numbers of a reply that the passages have, and do not speak against."""
        operation = self.asked.decision.operation
        copied = copied_numbers(reply, self._shown, self.question)
        given = days_given(self.question) if operation == "days" else []
        others = [each.operand for each in copied if each.operand.amount not in [day.amount for day in given]]
        calculation = calculate(operation, [*given, *others], self.question)
        if isinstance(calculation, NotComputed):
            return calculation
        lines: list[CitedText] = []
        for each in _used(copied, calculation):
            lines += yield from self._line(each)
        if any(citation.verdict == "contradicted" for line in lines for citation in line.citations):
            return NotComputed("doubtful", calculation.operands)
        return _Computed(calculation, tuple(dict.fromkeys(lines)))

    def _line(self, copied: Copied) -> Generator[Heartbeat, None, list[CitedText]]:
        """A number with what bears it out; by itself, it is no answer."""
        source = next(each for each in self.passages if each.number == copied.passage.number)
        is_named = copied.operand.amount in days_in(copied.passage.name)  # which no judge reads
        writer = replace(self.writer, judge=None) if is_named else self.writer
        return (yield from writer.checked(operand_line(copied.operand, self.asked.question), [source]))

    @property
    def _shown(self) -> Sequence[Passage]:
        """The passages; for days, with those of their documents."""
        if what_to_copy(self.asked.decision.operation) == "numbers":
            return self.passages
        return with_dates(self.passages, lambda each: self.resources.catalog.document(each.document_id))


def _used(copied: Sequence[Copied], calculation: Calculation) -> list[Copied]:
    """The numbers that are computed with, in the order of the expression; each as it was copied."""
    named = {(each.operand.name, each.operand.written): each for each in copied}
    order = [(each.name, each.written) for each in calculation.operands]
    return [named[key] for key in order if key in named]


def _looked_up_instead(calculating: _Calculating, why: NotComputed) -> Events:
    """The answer of a lookup; computed with the numbers that it tells, or else with the reason why it is not."""
    question, assembly = calculating.asked.question, Assembly()
    answer = yield from whole_answer(LookupKind().events(calculating.asked, calculating.resources))
    if not answer.answerable:
        yield from assembly.say(answer.answer)
        yield Done(answer)
        return
    computed = yield from calculating.with_numbers_of(answer.answer)
    if isinstance(computed, _Computed):
        told = yield from computed.answer(question)
        computed_with = replace(answer, answer=told.answer, citations=told.citations, disagreement=())
        yield Done(replace(computed_with, evidence=told.evidence, kind="parts"))
        return
    yield from assembly.cite(CitedText(answer.answer, answer.citations))
    yield from assembly.say(f"\n\n{not_computed(why, question)}")
    yield Done(replace(answer, answer=assembly.text))
