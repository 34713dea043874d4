"""What happens in the service, for whoever counts, logs or traces it: numbers and fixed words, and never a text.

Neither a question nor the name of a document stands in any of these values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kb.values.answers import QuestionKind, Thinking, Timings
from kb.values.personal import PersonalKind

Outcome = Literal["answered", "declined", "unsupported", "failed", "left"]
"""`declined`: the documents hold no answer; `unsupported`: what was written is not borne out; `left`: nobody waited for
the end."""


@dataclass(frozen=True, slots=True)
class QuestionEnded:
    """A question has its answer, or has none.

    Attributes:
        kind: Of the question; `talk`: the model alone was spoken with.
        error: Code of what it failed with; empty: it did not fail.
        model: That answered; empty: none was needed, or none came so far.
        seconds: From question to end.
        queue_seconds: How long others came before.
        first_seconds: Until the first word of reasoning or answer; None: there was none.
        timings: Of the answer, with its tokens; all 0 where there is none.
        passages: How many were found.
        citations: How many the answer has.
    """

    kind: QuestionKind | Literal["talk"]
    thinking: Thinking
    outcome: Outcome
    error: str = ""
    model: str = ""
    seconds: float = 0.0
    queue_seconds: float = 0.0
    first_seconds: float | None = None
    timings: Timings = field(default_factory=Timings)
    passages: int = 0
    citations: int = 0


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """Passages were looked for.

    Attributes:
        seconds: Of the whole search.
        parts: Seconds by part; what none of them counts is the rest.
    """

    seconds: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VectorAsked:
    """The vector of a question was needed.

    Attributes:
        was_known: Whether it had been computed before.
    """

    was_known: bool


@dataclass(frozen=True, slots=True)
class LooksTaken:
    """A model was looked into."""

    count: int


@dataclass(frozen=True, slots=True)
class PersonalDataHidden:
    """Personal data was hidden.

    Attributes:
        counts: How much, by kind; the same twice counts once.
    """

    where: Literal["remote", "index"]
    counts: Mapping[PersonalKind, int]


@dataclass(frozen=True, slots=True)
class ChildRestarted:
    """A child process had ended by itself, and another was started in its place."""

    child: Literal["engine", "embedder", "reader"]


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """An engine on a server failed.

    Attributes:
        error: Code of the error.
    """

    error: str


@dataclass(frozen=True, slots=True)
class IndexExchanged:
    """A new generation of the vector index answers."""


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A file is indexed, or listed as failed.

    Attributes:
        document_id: Of the document; empty where there is none.
        chunks: Pieces that are found as one.
        read_seconds: For reading, apart from other files.
        index_seconds: For embedding and writing.
    """

    outcome: Literal["indexed", "moved", "unreadable", "quarantined"]
    document_id: str = ""
    chunks: int = 0
    size_bytes: int = 0
    read_seconds: float = 0.0
    index_seconds: float = 0.0


Happening = (
    QuestionEnded
    | SearchEnded
    | VectorAsked
    | LooksTaken
    | PersonalDataHidden
    | ChildRestarted
    | EngineFailed
    | IndexExchanged
    | FileEnded
)
