"""What travels through `/v1/responses`, as far as it means something here; what is not named is taken and ignored."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from kb.errors import InvalidRequest
from server.http.openai.schemas import ChatMessage, ChatRequest
from server.http.schemas.base import Text, Wire


class ReasoningWish(Wire):
    """How a reasoning model should think."""

    effort: str | None = Field(default=None, description="As `reasoning_effort` of a chat.", examples=["low"])


class ResponseRequest(Wire):
    """`POST /v1/responses`."""

    model: Text = Field(description="From `/v1/models`.", examples=["r1-kb"])
    input: Text | list[ChatMessage | dict[str, Any]] = Field(
        description="A question, or the messages of a conversation; what is no message is passed over.",
        examples=["How many beds are there?"],
    )
    instructions: Text | None = Field(default=None, description="As a message of the system.")
    previous_response_id: str | None = Field(default=None, description="Refused: nothing is kept here.")
    stream: Annotated[bool, BeforeValidator(bool)] = Field(
        default=False, description="Server-sent events in place of JSON.", examples=[False]
    )
    max_output_tokens: int | None = Field(default=None, ge=1, description="Longest answer.", examples=[400])
    reasoning: ReasoningWish | None = Field(default=None, description="How long a reasoning model may think.")

    def to_chat(self) -> ChatRequest:
        """The same as a chat.

        Raises:
            InvalidRequest: It builds on a response before.
        """
        if self.previous_response_id:
            raise InvalidRequest("previous_response_id: no response is kept", "send the earlier messages in `input`")
        said = [ChatMessage(role="user", content=self.input)] if isinstance(self.input, str) else self.input
        messages = [item for item in said if isinstance(item, ChatMessage)]
        if self.instructions:
            messages.insert(0, ChatMessage(role="system", content=self.instructions))
        return ChatRequest(
            model=self.model,
            messages=messages or [ChatMessage(role="user", content="")],
            stream=self.stream,
            max_tokens=self.max_output_tokens,
            reasoning_effort=self.reasoning.effort if self.reasoning else None,
        )


class UrlCitation(Wire):
    """A source of a stretch of the text."""

    type: Literal["url_citation"] = Field(default="url_citation", description="Always this.")
    url: str = Field(description="Opens the page at the place.")
    title: str = Field(description="Path, page and heading.")
    start_index: int = Field(description="First character of the mark in the text.", examples=[43])
    end_index: int = Field(description="Character after its last.", examples=[46])


class OutputText(Wire):
    """The text of the answer."""

    type: Literal["output_text"] = Field(default="output_text", description="Always this.")
    text: str = Field(description="With marks [1] where it is cited.", examples=["It has 16 beds. [1]"])
    annotations: list[UrlCitation] = Field(default=[], description="The sources, in the order of the marks.")
    logprobs: list[Any] = Field(default=[], description="Never given.")


class OutputMessage(Wire):
    """The answer."""

    type: Literal["message"] = Field(default="message", description="Always this.")
    id: str = Field(description="New for each.")
    role: Literal["assistant"] = Field(default="assistant", description="Always this.")
    status: Literal["in_progress", "completed"] = Field(default="completed", description="Whether it is whole.")
    content: list[OutputText] = Field(description="One.")


class SummaryText(Wire):
    """What the model thought."""

    type: Literal["summary_text"] = Field(default="summary_text", description="Always this.")
    text: str = Field(description="All of it; nothing is summed up.")


class OutputReasoning(Wire):
    """What the model thought before."""

    type: Literal["reasoning"] = Field(default="reasoning", description="Always this.")
    id: str = Field(description="New for each.")
    summary: list[SummaryText] = Field(description="One, once it is whole.")


class InputTokens(Wire):
    """Of the tokens of the prompt."""

    cached_tokens: int = Field(default=0, description="Not told.")


class OutputTokens(Wire):
    """Of the tokens that were generated."""

    reasoning_tokens: int = Field(default=0, description="Those of the reasoning.")


class ResponseUsage(Wire):
    """Numbers of tokens."""

    input_tokens: int = Field(description="Of the prompt.", examples=[321])
    input_tokens_details: InputTokens = Field(default=InputTokens(), description="More on it.")
    output_tokens: int = Field(description="Of reasoning and answer.", examples=[30])
    output_tokens_details: OutputTokens = Field(default=OutputTokens(), description="More on it.")
    total_tokens: int = Field(description="Of both.", examples=[351])


class Incomplete(Wire):
    """Why an answer is not whole."""

    reason: Literal["max_output_tokens"] = Field(default="max_output_tokens", description="It was too long.")


class Response(Wire):
    """An answer."""

    id: str = Field(description="New for each; nothing is kept under it.", examples=["resp_b23bcb3e547c4da1"])
    object: Literal["response"] = Field(default="response", description="Always this.")
    created_at: int = Field(description="Seconds since 1970.", examples=[1795875412])
    status: Literal["in_progress", "completed", "incomplete"] = Field(description="How far it is.")
    incomplete_details: Incomplete | None = Field(default=None, description="Null: it is whole.")
    error: None = Field(default=None, description="An error has a status of its own, or an event `error`.")
    model: str = Field(description="As in the request.", examples=["r1-kb"])
    output: list[OutputReasoning | OutputMessage] = Field(description="What was thought, if anything, and the answer.")
    usage: ResponseUsage | None = Field(default=None, description="Numbers of tokens, at the end.")
    answered_by: str = Field(default="", description="Which model has answered; empty if none has.")
    parallel_tool_calls: bool = Field(default=False, description="Tools are ignored.")
    tool_choice: Literal["none"] = Field(default="none", description="Tools are ignored.")
    tools: list[Any] = Field(default=[], description="Tools are ignored.")
    store: bool = Field(default=False, description="Nothing is kept.")
