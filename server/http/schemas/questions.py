"""What is asked over HTTP: questions, searches, and which documents may answer."""

import datetime

from pydantic import ConfigDict, Field

from kb.values import filters
from kb.values.answers import Effort, QuestionKind, Routing, Thinking
from server.http.schemas.base import EXAMPLE_ID, Text, Wire


class Turn(Wire):
    """One earlier exchange."""

    question: Text = Field(description="What was asked.", examples=["How is the battery charged?"])
    answer: Text = Field(description="What was answered, without reasoning.", examples=["Between 5 °C and 35 °C."])


class Filters(Wire):
    """Which documents may answer: each condition that is given must hold, and of several values one is enough."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")

    folders: list[Text] = Field(
        default=[],
        description="Folders, all that is below them, or files: paths below a watched folder, or absolute ones.",
        examples=[["papers/2024"]],
    )
    types: list[Text] = Field(
        default=[], description="Extensions, or media types or their second half, in any case.", examples=[["pdf"]]
    )
    tags: list[Text] = Field(
        default=[], description="In any case and width; `a` stands for `a/b`, too.", examples=[["field"]]
    )
    since: datetime.date | None = Field(
        default=None,
        description="First day: of the document's own date, else of its file's, in UTC.",
        examples=["2026-01-01"],
    )
    until: datetime.date | None = Field(default=None, description="Last day.", examples=["2026-12-31"])
    document_ids: list[Text] = Field(default=[], description="Ids from `/documents`.", examples=[[EXAMPLE_ID]])

    def to_core(self) -> filters.Filters:
        """The same for the core.

        Raises:
            InvalidRequest: They make no sense.
        """
        return filters.Filters(
            folders=tuple(self.folders),
            types=tuple(self.types),
            tags=tuple(self.tags),
            since=self.since,
            until=self.until,
            document_ids=tuple(self.document_ids),
        )


_FILTERS = Field(default=None, description="Which documents may answer; null: all.")


class PrepareRequest(Wire):
    """A question that is being written."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(
        description="In Chinese or English.", examples=["At what temperature may the battery charge?"]
    )
    history: list[Turn] = Field(default=[], max_length=50, description="Earlier turns, oldest first.")
    top_k: int | None = Field(default=None, ge=1, le=50, description="How many passages; null: as set.", examples=[4])
    thinking: Thinking | None = Field(
        default=None,
        description="How long a reasoning model may think; `auto`: not where the answer plainly stands in a passage,"
        " else as `short`; null: as set.",
        examples=["auto"],
    )
    filters: Filters | None = _FILTERS


class AskRequest(PrepareRequest):
    """A question."""

    kind: QuestionKind | None = Field(
        default=None,
        description="What kind of question it is; null: that is told from what it means. Where it cannot be answered"
        " so, it is answered as a lookup; the answer says as what.",
        examples=["parts"],
    )
    model: Routing | None = Field(
        default=None,
        description="Which of two models answers: `small`, `large`, or `auto`: large what is not plain; null: as set."
        " Where there is only one, that one. What has answered is in `model` of the answer.",
        examples=["large"],
    )
    effort: Effort | None = Field(
        default=None,
        description="How much is done to find the answer. `quick`: one search. `thorough`: the model says under which"
        " words it may stand, reads what is found, and follows what that leads to; up to a minute more, told by `step`"
        " events. `auto`: the same, up to 20 seconds, where one search has found too little; `passages` come again"
        " then. Null: as set.",
        examples=["thorough"],
    )
    stream: bool = Field(default=False, description="Server-sent events in place of JSON.", examples=[False])


class SearchRequest(Wire):
    """A search without an answer."""

    model_config = ConfigDict(extra="forbid")

    query: Text = Field(description="In Chinese or English.", examples=["battery charging temperature"])
    top_k: int | None = Field(default=None, ge=1, le=50, description="How many passages; null: as set.", examples=[4])
    filters: Filters | None = _FILTERS
