"""The end of an answer that is none."""

from collections.abc import Iterator
from dataclasses import replace

from kb.answering import remarks
from kb.answering.drafting.clock import QuestionClock
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done


def refused(question: str, answer: Answer, clock: QuestionClock, nothing_because: str) -> Iterator[AnswerEvent]:
    """Says that there is no answer, and why.

    Args:
        answer: What is known of it so far.
        nothing_because: See `kb.answering.remarks.refusal`.
    """
    text = remarks.refusal(question, nothing_because, answer.index.pending)
    yield AnswerDelta(text)
    yield Done(replace(answer, answer=text, finish_reason="no_evidence", timings=clock.timings()))
