"""Answers to parts of a question, and what they are together."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.answering.kinds.cited_text import Assembly
from kb.values.answers import Answer, AnswerEvent, Done, LeftOut, ReasoningDelta, Step
from kb.values.chat import Heartbeat

Events = Generator[AnswerEvent, None, None]


def whole_answer(events: Events) -> Generator[AnswerEvent, None, Answer]:
    """The whole answer of a part; what is done, thought and waited for on the way is passed on."""
    answer = Answer()
    with closing(events):
        for event in events:
            if isinstance(event, Done):
                answer = event.answer
            elif isinstance(event, Heartbeat | ReasoningDelta | Step):
                yield event
    return answer


def answered_together(answers: Sequence[Answer], assembly: Assembly) -> Answer:
    """What several answers have in common, and in all."""
    first, last = answers[0], answers[-1]
    answered = [answer for answer in answers if answer.answerable]
    spent = [answer.timings for answer in answers]
    return Answer(
        answer=assembly.text,
        reasoning="\n\n".join(filter(None, (answer.reasoning for answer in answers))),
        citations=tuple(assembly.citations),
        answerable=bool(answered),
        model=next((answer.model for answer in answers if answer.model), ""),
        finish_reason="stop" if answered else first.finish_reason,
        timings=replace(
            first.timings,
            total_ms=sum(each.total_ms for each in spent),
            prompt_tokens=sum(each.prompt_tokens for each in spent),
            reasoning_tokens=sum(each.reasoning_tokens for each in spent),
            answer_tokens=sum(each.answer_tokens for each in spent),
        ),
        index=last.index,
        evidence=max(answer.evidence for answer in answers),
        left_out=LeftOut(
            instructions=sum(answer.left_out.instructions for answer in answers),
            kept_here=max(answer.left_out.kept_here for answer in answers),
        ),
        draft=first.draft if not answered else "",
        instead=next((answer.instead for answer in answers if answer.instead), ""),
        kind="parts",
        disagreement=tuple(stated for answer in answers for stated in answer.disagreement),
    )
