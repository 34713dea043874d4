"""Answers to several questions in one, and to what must be computed from several facts."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering import remarks
from kb.answering.kinds.cited_text import Assembly, CitedText
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.lookup import LookupKind
from kb.answering.kinds.parts.calculating import calculated
from kb.answering.kinds.parts.putting_together import answered_together, whole_answer
from kb.answering.sources.retrieval import SubQuestion, SubQuestionSearch
from kb.answering.sources.side_by_side import things_in
from kb.answering.understanding.followup import self_contained
from kb.answering.understanding.subquestions import split
from kb.values.answers import Answer, AnswerEvent, Done, PassagesFound, Step
from kb.values.chat import Turn

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
            return calculated(asked, resources)
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
