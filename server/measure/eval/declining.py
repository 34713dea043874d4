"""Whether the service declines questions: asked like any other, and broken off where the answer begins."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from kb.errors import InvalidRequest, PromptTooLong
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AnswerDelta, Done, ReasoningDelta
from server.measure.eval.asking import with_bar
from server.measure.eval.questions import Question
from server.terminal import console


@dataclass(frozen=True, slots=True)
class Declining:
    """What became of questions to which there is no answer.

    Attributes:
        name: Why there is none.
        taken: Ids of the questions that were answered nevertheless.
    """

    name: str
    questions: int
    taken: tuple[str, ...]

    @property
    def metrics(self) -> dict[str, float]:
        """The share of them that was declined, and how many were asked."""
        declined = 1.0 - len(self.taken) / self.questions
        return {f"refused, {self.name}": declined, f"asked, {self.name}_count": self.questions}


def measure_declining(knowledge_base: KnowledgeBase, name: str, questions: Sequence[Question]) -> Declining:
    """Asks all of them.

    Args:
        name: Why there is no answer.

    Raises:
        ModelError: A model is missing, or does not load.
    """
    asked = with_bar(console.err, f"asking, {name}", questions)
    return Declining(name, len(questions), tuple(q.id for q in asked if not _is_declined(knowledge_base, q.text)))


def _is_declined(knowledge_base: KnowledgeBase, question: str) -> bool:
    begun = False
    try:
        with closing(knowledge_base.ask_stream(question)) as events:
            for event in events:
                if isinstance(event, Done):
                    return not event.answer.answerable
                if begun:
                    return False
                begun = isinstance(event, AnswerDelta | ReasoningDelta)
    except (InvalidRequest, PromptTooLong):
        return True
    return False
