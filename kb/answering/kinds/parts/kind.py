"""Answers to several questions in one, and to what must be computed from several facts."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering import remarks
from kb.answering.drafting.clock import QuestionClock
from kb.answering.kinds.cited_text import Assembly, CitedText
from kb.answering.kinds.engine import route_of, writer_on
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.lookup import LookupKind
from kb.answering.kinds.parts.calculation import NotComputed, calculate
from kb.answering.kinds.parts.operands import REPLY_TOKENS, asking_for_numbers, copied_numbers, examples_in
from kb.answering.kinds.parts.putting_together import answered_together, whole_answer
from kb.answering.kinds.parts.saying import not_computed, operand_line, result_line
from kb.answering.prompts.instructions import without_instructions
from kb.answering.prompts.tokens import token_counter
from kb.answering.sources.freshness import FreshPassages
from kb.answering.sources.retrieval import SubQuestion, SubQuestionSearch
from kb.answering.sources.side_by_side import things_in
from kb.answering.understanding.followup import self_contained
from kb.answering.understanding.subquestions import split
from kb.values.answers import Answer, AnswerEvent, Done, LeftOut, PassagesFound, Step
from kb.values.chat import Turn

_READ_MORE = 2
"""Where numbers stand in several places, so many times as much is read as for one fact."""

Events = Generator[AnswerEvent, None, None]


class PartsKind:
    """Adapter of `kb.answering.kinds.kind.Kind`: each part is looked up by itself; numbers are computed with."""

    def events(self, asked: Asked, resources: Resources) -> Events | None:
        """See `Kind`."""
        parts = split(asked.question, surely_several=asked.decision.several)
        if len(parts) > 1:
            return _one_by_one(asked, resources, parts)
        asked = replace(asked, things=things_in(asked.question))
        if asked.decision.operation != "none":
            return _calculated(asked, resources)
        return _compared(asked, resources) if asked.things else None


def _compared(asked: Asked, resources: Resources) -> Events:
    """Looks the question up with what was found for each thing that it names."""
    with closing(LookupKind().events(asked, resources)) as events:
        for event in events:
            yield Done(replace(event.answer, kind="parts")) if isinstance(event, Done) else event


def _one_by_one(asked: Asked, resources: Resources, parts: Sequence[str]) -> Events:
    """Looks each part up with a prompt of its own; a later one may lean on the first."""
    turns = [*asked.history, Turn(parts[0], "")]
    queries = [self_contained(part, turns if n else asked.history, asked.decide) for n, part in enumerate(parts)]
    search = SubQuestionSearch(list(map(SubQuestion, parts, queries)), asked.search)
    found = search.passages(asked.top_k * len(parts))
    yield PassagesFound(found)
    assembly, answers = Assembly(), list[Answer]()
    for number, part in enumerate(parts, start=1):
        yield Step("part", number, len(parts), part)
        decision = asked.decide(part)
        said = [Turn(parts[0], answers[0].answer)] if answers else []
        history = [*asked.history, *said] if decision.leans else []
        looked_up = replace(asked, question=part, history=history, decision=replace(decision, several=False))
        answers.append((yield from whole_answer(LookupKind().events(looked_up, resources))))
        if answers[-1].answerable:
            yield from assembly.say("\n\n" if assembly.text else "")
            yield from assembly.cite(CitedText(answers[-1].answer, answers[-1].citations))
    unanswered = tuple(part for part, answer in zip(parts, answers, strict=True) if not answer.answerable)
    if len(unanswered) == len(parts):
        yield from assembly.say(answers[0].answer)
    elif unanswered:
        yield from assembly.say(f"\n\n{remarks.without_source(asked.question, unanswered)}")
    is_kept = any(answer.left_out.kept_here for answer in answers)
    shown = tuple(passage for passage in found if not (is_kept and resources.must_stay(passage)))
    yield Done(replace(answered_together(answers, assembly), passages=shown, unanswered=unanswered))


def _calculated(asked: Asked, resources: Resources) -> Events:
    """Has the numbers copied that are needed, and computes with them; where that fails, the question is looked up."""
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
    budget = _READ_MORE * resources.settings.passage_tokens
    prompt = asking_for_numbers(question, readable, token_counter(writer.model).count_tokens, budget)
    reply = yield from writer.write(prompt, REPLY_TOKENS, examples_in(question))
    copied = copied_numbers(reply, readable)
    computed = calculate(asked.decision.operation, [each.operand for each in copied], question)
    if isinstance(computed, NotComputed):
        yield from _looked_up_instead(asked, resources, not_computed(computed, asked.question))
        return
    lines: list[CitedText] = []
    for operand in computed.operands:
        sources = [each.passage for each in copied if each.operand is operand]
        lines += yield from writer.checked(operand_line(operand, asked.question), sources)  # by itself: it is no answer
    if any(citation.verdict == "contradicted" for line in lines for citation in line.citations):
        doubtful = NotComputed("doubtful", computed.operands)
        yield from _looked_up_instead(asked, resources, not_computed(doubtful, asked.question))
        return
    clock.mark("first_answer_ms")
    assembly = Assembly()
    for line in lines:
        yield from assembly.say("- " if not assembly.text else "\n- ")
        yield from assembly.cite(line)
    yield from assembly.say(f"\n\n{result_line(computed, asked.question)}")
    answer = Answer(
        answer=assembly.text,
        citations=tuple(assembly.citations),
        passages=passages,
        answerable=True,
        model=writer.model.info.name,
        finish_reason="stop",
        timings=clock.timings(),
        index=asked.index,
        evidence=1.0,
        left_out=LeftOut(instructions=kept_back),
        kind="parts",
    )
    yield from route.declared(fresh.declared(each for each in (Done(answer),)))


def _looked_up_instead(asked: Asked, resources: Resources, why: str) -> Events:
    """The answer of a lookup, which says why nothing was computed."""
    answer = yield from whole_answer(LookupKind().events(asked, resources))
    assembly = Assembly()
    if answer.answerable:
        yield from assembly.cite(CitedText(answer.answer, answer.citations))
        yield from assembly.say(f"\n\n{why}")
    else:
        yield from assembly.say(answer.answer)
    yield Done(replace(answer, answer=assembly.text))
