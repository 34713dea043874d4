"""What goes into a language model and comes out of it. Frozen values; knows nothing about documents."""

from dataclasses import dataclass
from typing import Literal

from kb.types import Heartbeat


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Limits of one generation.

    Attributes:
        reasoning_tokens: Budget of the reasoning phase; 0 skips it, and a model that does not reason ignores it.
        answer_tokens: Budget of the answer phase.
        seed: Makes sampling repeatable.
    """

    reasoning_tokens: int = 256
    answer_tokens: int = 512
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of generated text and the phase that it belongs to."""

    phase: Literal["reasoning", "answer"]
    text: str


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """The last item of a generation."""

    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    reasoning_tokens: int
    answer_tokens: int


Generated = Delta | Heartbeat | GenerationEnd


@dataclass(frozen=True, slots=True)
class LanguageModelInfo:
    """What is known about a loaded language model.

    Attributes:
        name: The catalog name, or the file's.
        reasons: Whether it was trained to think before it answers.
        context_tokens: Size of the context window in use.
        device: `cpu`, or the GPU that holds layers of it.
    """

    name: str
    description: str
    reasons: bool
    context_tokens: int
    device: str = "cpu"
