"""Where another document states another value for what was asked, the answer says so: both, newest first, both cited.

Which place may do so is told by words and numbers: it is about the same as a statement of the answer, and has another
number or day of the same kind in the place of one. Whether it does is for the judge: the place must bear out the
statement with that value, and not as it was given.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from kb.answering.drafting.draft import Draft, Statement
from kb.citing.citations import Citer, EmbedSentences
from kb.judging.support import is_answer
from kb.judging.verdicts import SUPPORTED
from kb.ports import Judge
from kb.text.amounts import Value, values_in
from kb.text.languages import asked_in
from kb.values.answers import AnswerEvent, StatedValue
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

MOST_JUDGED = 3
"""Places of one answer: each takes two looks."""

_SAME_SUBJECT = 0.6
"""Of the words of a statement, without its values, the place must have this share."""

_HEAD = {
    "en": "The documents state different values, newest first:",
    "zh": "各份文档给出的数值不同，按时间从新到旧：",
}


@dataclass(frozen=True, slots=True)
class OtherValue:
    """A place that may state another value.

    Attributes:
        own: The value of the statement.
        statement: The same with the other value in its place.
    """

    passage: Passage
    own: Value
    other: Value
    statement: str


def tell_disagreement(
    draft: Draft,
    question: str,
    passages: Sequence[Passage],
    judge: Judge,
    embed: EmbedSentences,
    day_of: Callable[[str], str],
) -> Generator[AnswerEvent, None, tuple[StatedValue, ...]]:
    """Adds to an answer what other documents state.

    Args:
        draft: Judged.
        question: Such that it can stand alone.
        day_of: The day of a document: `2026-03-01`.

    Returns:
        The values, newest first; empty: all agree.
    """
    for statement in draft.supported:
        text = draft.answer[slice(*statement.span)]
        candidates = list(_candidates(statement, text, question, passages, embed))
        found = yield from _judged(candidates, text, question, judge)
        if found:
            return (yield from _told(found, statement, draft, day_of))
    return ()


def _candidates(
    statement: Statement, text: str, question: str, passages: Sequence[Passage], embed: EmbedSentences
) -> Iterator[OtherValue]:
    cited = {quote.passage.document_id for quote in statement.alignment.quotes}
    for passage in passages:
        if passage.document_id not in cited and (other := other_value(text, question, passage, embed)):
            yield other


def other_value(text: str, question: str, passage: Passage, embed: EmbedSentences | None = None) -> OtherValue | None:
    """Finds the value that a passage may state in the place of one of a statement."""
    asked = {value.amount for value in values_in(question)}
    ours = values_in(text)
    bare = _without(text, ours)
    alignment = Citer(question, [passage], embed).align(f"{question} {bare}" if is_answer(text, question) else bare)
    if alignment is None or alignment.score < _SAME_SUBJECT:
        return None
    theirs = values_in(alignment.quotes[0].analysed_text.text)
    held = {value.amount for value in theirs}
    lacking = [value for value in ours if value.amount not in held | asked]
    if len(lacking) != 1:
        return None
    said = {value.amount for value in ours} | asked
    others = [value for value in theirs if value.amount not in said and value.is_alike(lacking[0])]
    if len({value.amount for value in others}) != 1:
        return None
    own, other = lacking[0], others[0]
    return OtherValue(passage, own, other, f"{text[: own.start]}{other.written}{text[own.end :]}")


def _without(text: str, values: Sequence[Value]) -> str:
    for value in reversed(values):
        text = f"{text[: value.start]} {text[value.end :]}"
    return text


def _judged(
    candidates: Sequence[OtherValue], text: str, question: str, judge: Judge
) -> Generator[Heartbeat, None, list[tuple[OtherValue, float]]]:
    found: list[tuple[OtherValue, float]] = []
    for each in candidates[:MOST_JUDGED]:
        likely = yield from judge.judge([each.passage.text], each.statement, question)
        if likely is None or likely < SUPPORTED:
            continue
        as_given = yield from judge.judge([each.passage.text], text, question)
        if as_given is not None and as_given < SUPPORTED:
            found.append((each, likely))
    return found


def _told(
    found: Sequence[tuple[OtherValue, float]], statement: Statement, draft: Draft, day_of: Callable[[str], str]
) -> Generator[AnswerEvent, None, tuple[StatedValue, ...]]:
    own_text = draft.answer[slice(*statement.span)]
    own_passage = statement.alignment.quotes[0].passage
    stated = [(_stated(found[0][0].own, own_passage, day_of), own_text, statement.probability)]
    stated += [(_stated(each.other, each.passage, day_of), each.statement, likely) for each, likely in found]
    stated.sort(key=lambda one: one[0].day, reverse=True)
    yield from draft.remark(_HEAD[asked_in(draft.question)])
    for value, text, probability in stated:
        yield from draft.say("\n- ")
        yield from draft.state(f"{value.value} ({value.source}, {value.day})", text, probability)
    return tuple(value for value, _, _ in stated)


def _stated(value: Value, passage: Passage, day_of: Callable[[str], str]) -> StatedValue:
    return StatedValue(value.written, passage.document_id, passage.title, passage.source, day_of(passage.document_id))
