"""Conversations that are kept."""

import datetime

from pydantic import Field

from kb.values import answers, conversations
from kb.values.conversations import Standing
from server.http.schemas.answers import Citation
from server.http.schemas.base import Text, Wire

_MAX_ANSWER_CHARS = 200_000
_MAX_CITATIONS = 500
_EXAMPLE = "5d2f9b1c7a3e4f60"


class ConversationTitle(Wire):
    """Another title for a conversation."""

    title: Text = Field(
        min_length=1, max_length=200, description="What it is to be called.", examples=["The battery of the Pika"]
    )


_QUESTION = "What was asked."
_ANSWER = "What was answered, without reasoning."
_CITATIONS = "In order of `answer_end`."
_MODEL = "Which model answered."
_FINISH = "As in the answer."


class TurnToKeep(Wire):
    """A question and its answer as they came from `/ask`; of a whole answer, what is not named here is not kept."""

    question: Text = Field(
        min_length=1, max_length=20_000, description=_QUESTION, examples=["How is the battery charged?"]
    )
    answer: Text = Field(max_length=_MAX_ANSWER_CHARS, description=_ANSWER, examples=["Between 5 °C and 35 °C."])
    citations: list[Citation] = Field(default=[], max_length=_MAX_CITATIONS, description=_CITATIONS)
    model: Text = Field(default="", max_length=200, description=_MODEL, examples=["Qwen2.5 Coder 1.5B"])
    finish_reason: answers.FinishReason = Field(default="stop", description=_FINISH, examples=["stop"])

    def to_core(self) -> conversations.KeptTurn:
        """The turn as the store takes it."""
        citations = tuple(answers.Citation(**each.model_dump(exclude={"url"})) for each in self.citations)
        return conversations.KeptTurn(self.question, self.answer, citations, self.model, self.finish_reason)


class KeptCitation(Citation):
    """A citation of an old answer, at the place where its quote stands now."""

    standing: Standing = Field(
        description="`there`: its document still says so; `changed`: it does not any more; `gone`: it is not indexed.",
        examples=["there"],
    )


class KeptTurn(Wire):
    """A question and its answer."""

    question: str = Field(description=_QUESTION, examples=["How is the battery charged?"])
    answer: str = Field(description=_ANSWER, examples=["Between 5 °C and 35 °C."])
    citations: list[KeptCitation] = Field(description=_CITATIONS)
    model: str = Field(description=_MODEL, examples=["Qwen2.5 Coder 1.5B"])
    finish_reason: str = Field(description=_FINISH, examples=["stop"])
    asked_at: datetime.datetime | None = Field(description="When it was kept.", examples=["2026-11-23T09:30:00Z"])


class _Info(Wire):
    id: str = Field(description="Of the conversation.", examples=[_EXAMPLE])
    title: str = Field(
        description="The first question, or what it was renamed to; empty before it.", examples=["How many beds?"]
    )
    changed_at: datetime.datetime = Field(description="When a turn was added.", examples=["2026-11-23T09:30:00Z"])


class ListedConversation(_Info):
    """A conversation as it is listed."""

    turns: int = Field(description="How many.", examples=[3])


class Conversation(_Info):
    """A conversation with its turns."""

    turns: list[KeptTurn] = Field(description="Oldest first.")


class ConversationList(Wire):
    """The conversations that are kept."""

    conversations: list[ListedConversation] = Field(description="The latest first.")
    keeps: bool = Field(description="Whether new ones are kept; see `KB_KEEP_CONVERSATIONS`.", examples=[True])
