"""How a question has gone, seen from its events: what is told when it is over."""

import time
from collections.abc import Generator
from contextlib import closing

from kb.errors import KBError
from kb.observing import Observe
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, QuestionKind, ReasoningDelta, Thinking
from kb.values.chat import Heartbeat
from kb.values.happenings import Outcome, QuestionEnded


def observed(
    events: Generator[AnswerEvent, None, None], thinking: Thinking, observe: Observe, *, is_talk: bool = False
) -> Generator[AnswerEvent, None, None]:
    """Passes the events of an answer on, and tells how it went when they end, in whatever way."""
    began, queue = time.monotonic(), _Queue()
    first_seconds: float | None = None
    answer: Answer | None = None
    outcome: Outcome = "left"
    error = ""
    try:
        with closing(events):
            for event in events:
                queue.note(event)
                if first_seconds is None and isinstance(event, ReasoningDelta | AnswerDelta):
                    first_seconds = time.monotonic() - began
                if isinstance(event, Done):
                    answer, outcome = event.answer, _outcome(event.answer)
                yield event
    except Exception as failure:  # it is told, and goes on
        outcome, error = "failed", failure.code if isinstance(failure, KBError) else type(failure).__name__
        raise
    finally:
        kind: QuestionKind = answer.kind if answer else "lookup"
        answer = answer or Answer()
        observe(
            QuestionEnded(
                kind="talk" if is_talk else kind,
                thinking=thinking,
                outcome=outcome,
                error=error,
                model=answer.model,
                seconds=time.monotonic() - began,
                queue_seconds=queue.seconds,
                first_seconds=first_seconds,
                timings=answer.timings,
                passages=len(answer.passages),
                citations=len(answer.citations),
            )
        )


class _Queue:
    """How long others came before."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since: float | None = None

    def note(self, event: AnswerEvent) -> None:
        """Takes the next event."""
        now = time.monotonic()
        if self._since is not None:
            self.seconds += now - self._since
        self._since = now if isinstance(event, Heartbeat) and event.place else None


def _outcome(answer: Answer) -> Outcome:
    match answer.finish_reason:
        case "no_evidence":
            return "declined"
        case "unsupported":
            return "unsupported"
        case _:
            return "answered"
