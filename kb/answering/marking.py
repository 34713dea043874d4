"""Answers that say where they hold personal data."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from kb.ports import FindPersonal
from kb.values.answers import AnswerEvent, Done


def marked(events: Generator[AnswerEvent, None, None], find: FindPersonal) -> Generator[AnswerEvent, None, None]:
    """Passes the events of an answer on, and adds to the whole of it what personal data it holds."""
    with closing(events):
        for event in events:
            if isinstance(event, Done) and (personal := tuple(find(event.answer.answer))):
                yield Done(replace(event.answer, personal=personal))
            else:
                yield event
