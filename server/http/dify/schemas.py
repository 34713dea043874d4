"""What Dify sends, any part of which may be null, and what it reads."""

from typing import Any, Literal

from pydantic import Field

from server.http.schemas.base import Text, Wire


class RetrievalSetting(Wire):
    """How much is wanted."""

    top_k: int | None = Field(default=None, ge=1, description="How many records, at most 50; null: as set.")
    score_threshold: float | None = Field(default=None, description="Least score of a record; null: any.")


class Condition(Wire):
    """A condition on the metadata of a record."""

    name: Text | list[Text] = Field(description="Which metadata; of several one is enough.", examples=["tags"])
    comparison_operator: str = Field(description="As Dify names them.", examples=["contains"])
    value: Text | float | list[Text] | None = Field(default=None, description="What it is compared with.")


class MetadataCondition(Wire):
    """Conditions on the metadata of a record."""

    logical_operator: Literal["and", "or"] | None = Field(default=None, description="Null: `and`.")
    conditions: list[Condition] | None = Field(default=None, max_length=100, description="Null: none.")


class RetrievalRequest(Wire):
    """`POST /retrieval`."""

    query: Text | None = Field(default=None, description="What is looked for.", examples=["battery"])
    knowledge_id: Text | None = Field(
        default=None, description="`r1-kb`, or a top folder; null: everything.", examples=["r1-kb"]
    )
    retrieval_setting: RetrievalSetting | None = Field(default=None, description="How much is wanted.")
    metadata_condition: MetadataCondition | None = Field(default=None, description="Which records count.")


class Record(Wire):
    """A passage that was found."""

    content: str = Field(description="Its text.", examples=["Charge the battery between 5 °C and 35 °C."])
    score: float = Field(description="Cosine of query and passage, 0…1.", examples=[0.87])
    title: str = Field(description="Title of the document.", examples=["Pika P3 field manual"])
    metadata: dict[str, Any] = Field(
        description="`document_id`, `document_name`, `source`, `page`, `heading`, `type`, `tags`, `date`, `url`."
    )


class RetrievalResponse(Wire):
    """What was found."""

    records: list[Record] = Field(description="Best first.")
