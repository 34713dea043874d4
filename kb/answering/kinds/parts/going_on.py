"""A lookup whose answer says nothing of a thing that was asked for, too, goes on: that thing is looked up by itself.

What is asked for is what the question joins; see `kb.answering.sources.side_by_side`. A thing is left open where the
answer and what it cites have a word that only another thing has, and none that only this one has: so nothing is left
open by an answer from a document in another language. Bounded: for each of a few things one more lookup.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from kb.answering import remarks
from kb.answering.kinds.cited_text import Assembly, CitedText
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.lookup import LookupKind
from kb.answering.kinds.parts.putting_together import answered_together, whole_answer
from kb.answering.sources.side_by_side import things_in
from kb.text.scripts import in_one_writing, is_cjk
from kb.text.terms import content_terms
from kb.values.answers import Answer, AnswerEvent, Done, Step
from kb.values.passages import Passage

MOST_LOOKED_UP = 2
"""So many things are looked up after an answer that left them open."""

Events = Generator[AnswerEvent, None, None]


def gone_on(asked: Asked, resources: Resources, events: Events) -> Events:
    """Passes a lookup on, and looks up what its answer has left open.

    Args:
        events: Of the lookup.
    """
    answer = Answer()
    with closing(events):
        for event in events:
            if isinstance(event, Done):
                answer = event.answer
            else:
                yield event
    left = left_open(asked.question, answer)[:MOST_LOOKED_UP]
    if not left:
        yield Done(answer)
        return
    assembly = Assembly.of(CitedText(answer.answer, answer.citations))
    answers, without = [answer], list[str]()
    for number, thing in enumerate(left, start=1):
        yield Step("part", number, len(left), thing)
        found = yield from whole_answer(LookupKind().events(_about(thing, asked), resources))
        if not found.answerable:
            without.append(thing)
        elif thing not in left_open(asked.question, found):
            answers.append(found)
            yield from assembly.say("\n\n")
            yield from assembly.cite(CitedText(found.answer, found.citations))
    if without:
        yield from assembly.say(f"\n\n{remarks.without_source(asked.question, without)}")
    yield Done(
        replace(
            answered_together(answers, assembly),
            passages=_all_passages(answers),
            unanswered=(*answer.unanswered, *without),
            kind="parts" if len(answers) > 1 else answer.kind,
        )
    )


def left_open(question: str, answer: Answer) -> tuple[str, ...]:
    """The things of a question that an answer says nothing of, though it does of others; in their order."""
    if not answer.answerable:
        return ()
    things, places = things_in(question), [f"{each.title} {each.heading} {each.quote}" for each in answer.citations]
    told = in_one_writing("\n".join([answer.answer, *places])).casefold()
    terms = set(content_terms(told))
    own = {thing: _own_terms(thing, things) for thing in things}
    said = {thing for thing, its in own.items() if any(_stands_in(term, told, terms) for term in its)}
    return tuple(thing for thing, its in own.items() if its and thing not in said) if said else ()


def _own_terms(thing: str, things: tuple[str, ...]) -> set[str]:
    others = {term for other in things if other != thing for term in content_terms(other)}
    return set(content_terms(thing)) - others


def _stands_in(term: str, told: str, terms: set[str]) -> bool:
    return term in terms or (is_cjk(term[0]) and term in told)


def _about(thing: str, asked: Asked) -> Asked:
    return replace(asked, question=f"{thing}: {asked.question}", decision=replace(asked.decision, several=False))


def _all_passages(answers: list[Answer]) -> tuple[Passage, ...]:
    places = {(each.document_id, each.start, each.end): each for answer in answers for each in answer.passages}
    return tuple(replace(each, number=number) for number, each in enumerate(places.values(), start=1))
