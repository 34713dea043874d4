"""A text by anybody, and what came of checking it."""

from pydantic import ConfigDict, Field

from kb.values.answers import Verdict
from server.http.schemas.answers import Citation
from server.http.schemas.base import Text, Wire
from server.http.schemas.questions import Filters


class VerifyRequest(Wire):
    """A text that is to be checked."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(description="In any language.", examples=["The battery may charge at 40 °C."])
    question: Text = Field(
        default="",
        description="What the text answers; then a word is enough.",
        examples=["At what temperature may the battery charge?"],
    )
    sources: list[Text] = Field(
        default=[],
        max_length=50,
        description="Texts that it is held against; empty: the documents.",
        examples=[["Charge the battery between 5 °C and 35 °C."]],
    )
    filters: Filters | None = Field(default=None, description="Which documents, where no sources are given; null: all.")
    stream: bool = Field(default=False, description="Server-sent events in place of JSON.", examples=[False])


class CheckedStatement(Wire):
    """A statement of the text."""

    start: int = Field(description="First character in the text.", examples=[0])
    end: int = Field(description="Character after the last.", examples=[33])
    verdict: Verdict = Field(
        description="Whether the quotes bear it out, speak against it, or do not show it.", examples=["contradicted"]
    )
    probability: float | None = Field(
        description="How likely it is borne out, 0…1; null: nobody has judged it.", examples=[0.04]
    )
    citations: list[Citation] = Field(
        description="What it is held against, nearest first. Of a source that was given, `source` is its number."
    )


class Verification(Wire):
    """The text, statement by statement."""

    statements: list[CheckedStatement] = Field(
        description="In the order of the text; headings, code and lines that only lead to a list say nothing."
    )
    judge: str = Field(
        description="The model that has judged; empty: none has, and only what the sources say word for word counts.",
        examples=["deepseek-r1-distill-qwen-1.5b"],
    )
