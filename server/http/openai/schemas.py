"""What travels through `/v1`: the bodies of the OpenAI API as far as they mean something here.

Fields that are not named, tools and sampling parameters among them, are taken and ignored: clients send them unasked.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from server.http import schemas
from server.http.schemas.base import Text, Wire


class ContentPart(Wire):
    """A part of a message; of those that are no text, nothing is read."""

    type: str = Field(default="text", description="`text`, or what is ignored.", examples=["text"])
    text: Text | None = Field(default=None, description="The text.", examples=["How many beds are there?"])


class ChatMessage(Wire):
    """A message of a conversation."""

    role: str = Field(description="`system`, `developer`, `user`, `assistant`; others are ignored.", examples=["user"])
    content: Text | list[ContentPart] | None = Field(
        default=None, description="Text, or parts of which the text is read.", examples=["How many beds are there?"]
    )

    def text(self) -> str:
        """All of its text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(Wire):
    """What a stream should have beside the answer."""

    include_usage: bool = Field(default=False, description="A last chunk with numbers of tokens.", examples=[True])


def _false(value: object) -> object:
    return False if value is None else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ChatRequest(Wire):
    """`POST /v1/chat/completions`."""

    model: Text = Field(description="From `/v1/models`.", examples=["r1-kb"])
    messages: list[ChatMessage] = Field(
        min_length=1, description="The last one of the user is the question; earlier turns are its context."
    )
    stream: Annotated[bool, BeforeValidator(_false)] = Field(
        default=False, description="Server-sent events in place of JSON.", examples=[False]
    )
    stream_options: StreamOptions | None = Field(default=None, description="For streams.")
    n: int | None = Field(default=None, description="How many answers; only 1 is given.", examples=[1])
    max_tokens: int | None = Field(default=None, ge=1, description="Longest answer.", examples=[400])
    max_completion_tokens: int | None = Field(default=None, ge=1, description="The same.", examples=[400])
    stop: Annotated[list[Text] | None, BeforeValidator(_as_list)] = Field(
        default=None, max_length=16, description="Texts that end the answer.", examples=["\n\n"]
    )
    reasoning_effort: str | None = Field(
        default=None,
        description="How long a reasoning model may think: `none`, `minimal`: not at all; `low`; `medium`: as set;"
        " `high`.",
        examples=["low"],
    )


class UrlCitation(Wire):
    """Where something stands, as clients show it."""

    url: str = Field(description="Opens the page at the place.", examples=["http://127.0.0.1:8321/#document=9f2c4e6a"])
    title: str = Field(description="Path, page and heading.", examples=["manuals/pika-p3.pdf · p. 4 · Battery"])
    start_index: int = Field(description="First character of the mark in the content.", examples=[43])
    end_index: int = Field(description="Character after its last.", examples=[46])


class Annotation(Wire):
    """A source: that of a mark, or, where there is no answer, one of the nearest passages."""

    type: Literal["url_citation"] = Field(default="url_citation", description="Always this.")
    url_citation: UrlCitation = Field(description="Where it stands.")
    source: schemas.Citation | schemas.Passage = Field(
        description="As `/ask` tells it; `answer_start` and `answer_end` count without the marks."
    )


class AnswerMessage(Wire):
    """The answer."""

    role: Literal["assistant"] = Field(default="assistant", description="Always this.")
    content: str = Field(description="With marks [1] where it is cited.", examples=["It has 16 beds. [1]"])
    reasoning_content: str | None = Field(default=None, description="What the model thought before.")
    annotations: list[Annotation] = Field(default=[], description="The sources, in the order of the marks.")


class Choice(Wire):
    """The only choice."""

    index: int = Field(default=0, description="Always 0.", examples=[0])
    message: AnswerMessage = Field(description="The answer.")
    logprobs: None = Field(default=None, description="Never given.")
    finish_reason: Literal["stop", "length"] = Field(description="Why it ended.", examples=["stop"])


class TokenDetails(Wire):
    """Of the tokens that were generated."""

    reasoning_tokens: int = Field(description="Those of the reasoning.", examples=[12])


class Usage(Wire):
    """Numbers of tokens; zero where nothing was generated, or a stop cut it short."""

    prompt_tokens: int = Field(description="Of the prompt.", examples=[321])
    completion_tokens: int = Field(description="Of reasoning and answer.", examples=[30])
    total_tokens: int = Field(description="Of both.", examples=[351])
    completion_tokens_details: TokenDetails = Field(description="More on it.")


class ChatCompletion(Wire):
    """An answer."""

    id: str = Field(description="New for each.", examples=["chatcmpl-b23bcb3e547c4da18703e321"])
    object: Literal["chat.completion"] = Field(default="chat.completion", description="Always this.")
    created: int = Field(description="Seconds since 1970.", examples=[1795875412])
    model: str = Field(description="As in the request.", examples=["r1-kb"])
    choices: list[Choice] = Field(description="One.")
    answered_by: str = Field(
        description="Which model has answered; empty if none has.", examples=["qwen2.5-coder-1.5b-instruct"]
    )
    instead: str = Field(
        default="",
        description="Why the small model has answered in the place of the large one; empty: it has not.",
        examples=["the server api.deepseek.com cannot be reached"],
    )
    usage: Usage = Field(description="Numbers of tokens.")


class Model(Wire):
    """Something that answers."""

    id: str = Field(
        description="`r1-kb`: the library; `r1-kb/FOLDER`: what lies in it, or a saved filter of that name; with"
        " `:small` or `:large` behind it, answered by that of two models; else the model alone, without documents.",
        examples=["r1-kb"],
    )
    object: Literal["model"] = Field(default="model", description="Always this.")
    created: int = Field(description="When the index last followed the folders, or 0.", examples=[1795875412])
    owned_by: str = Field(default="r1-kb", description="Always this.", examples=["r1-kb"])
    name: str = Field(description="As the id.", examples=["r1-kb"])
    context_length: int | None = Field(default=None, description="Of the model, once it is loaded.", examples=[4096])


class ModelList(Wire):
    """All that answers."""

    object: Literal["list"] = Field(default="list", description="Always this.")
    data: list[Model] = Field(description="The library first.")


class ErrorBody(Wire):
    """What went wrong."""

    message: str = Field(description="What failed, and what to do.", examples=["no model is called 'gpt-5'"])
    type: str = Field(description="Kind of the error.", examples=["invalid_request_error"])
    param: str | None = Field(description="Which field.", examples=["model"])
    code: str = Field(description="Stable name.", examples=["model_not_found"])


class ErrorResponse(Wire):
    """Any error under `/v1`, but those of who may enter."""

    error: ErrorBody = Field(description="What went wrong.")


class EmbeddingRequest(Wire):
    """`POST /v1/embeddings`."""

    model: Text = Field(description="The embedding model, which `/status` names.", examples=["multilingual-e5-small"])
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=2048)] = Field(
        description="A text, or several; not tokens.", examples=["How many beds are there?"]
    )
    encoding_format: Literal["float", "base64"] = Field(
        default="float", description="Numbers, or the bytes of little-endian float32 in base64."
    )
    dimensions: int | None = Field(default=None, description="None but the model's own.", examples=[384])
    input_type: Literal["passage", "query"] = Field(
        default="passage", description="Whether they are to be found, or are questions: the model tells them apart."
    )


class Embedding(Wire):
    """The vector of a text."""

    object: Literal["embedding"] = Field(default="embedding", description="Always this.")
    index: int = Field(description="Place of the text in the request.", examples=[0])
    embedding: list[float] | str = Field(description="Of length 1; as `encoding_format` has it.")


class EmbeddingUsage(Wire):
    """Numbers of tokens."""

    prompt_tokens: int = Field(description="Of all texts.", examples=[8])
    total_tokens: int = Field(description="The same.", examples=[8])


class EmbeddingList(Wire):
    """The vectors of all texts."""

    object: Literal["list"] = Field(default="list", description="Always this.")
    data: list[Embedding] = Field(description="In the order of the texts.")
    model: str = Field(description="As in the request.", examples=["multilingual-e5-small"])
    usage: EmbeddingUsage = Field(description="Numbers of tokens.")
