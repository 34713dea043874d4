"""What goes into a language model and comes out of it. Frozen values; knows nothing about documents."""

from dataclasses import dataclass, field
from typing import Literal


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
        seconds: How long prompt, reasoning and answer may take together, once it is this request's turn. Reasoning gets
            three quarters of it, so that there is time for the answer.
    """

    reasoning_tokens: int = 256
    answer_tokens: int = 512
    seed: int = 0
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Look:
    """A question to the model that it does not answer: only what it would reply is looked at.

    Attributes:
        messages: The question. They should begin as those of other looks and of the prompt that follows do: what they
            have in common is evaluated once.
        reply: Of two words the first.
        other: The second.
    """

    messages: tuple[Message, ...]
    reply: str
    other: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What looks have shown; each tuple has one item for each of them, or none where the model does not show it.

    Attributes:
        margins: How much likelier the first word is than the second: the logarithm of the ratio.
        states: The last hidden state at the end of the question, `d` numbers: what the model holds in mind, of which
            the margin is one view.
    """

    margins: tuple[float, ...]
    states: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of generated text and the phase that it belongs to."""

    phase: Literal["reasoning", "answer"]
    text: str


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """The last item of a generation.

    Attributes:
        reused_tokens: How many of the prompt were known from before, and not read anew; of no account for what was
            written.
    """

    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    reasoning_tokens: int
    answer_tokens: int
    reused_tokens: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Event: nothing new, but work goes on; comes at least once a second, so that whoever listens can stop it.

    Attributes:
        place: How many questions the model answers before this one; 0: it is being worked on.
    """

    place: int = 0


Generated = Looked | Delta | Heartbeat | GenerationEnd


@dataclass(frozen=True, slots=True)
class LanguageModelInfo:
    """What is known about a loaded language model.

    Attributes:
        name: The catalog name, or the file's.
        reasons: Whether it was trained to think before it answers.
        context_tokens: Size of the context window in use.
        device: `cpu`, or `gpu` if that holds layers of it, or `remote`.
        title: What the file calls the model (`general.name`); empty where it does not say.
        host: The machine that sees what it is asked; empty: the service itself computes it.
    """

    name: str
    description: str
    reasons: bool
    context_tokens: int
    device: str = "cpu"
    title: str = ""
    host: str = ""

    @property
    def identity(self) -> str:
        """What tells its weights from others, whatever the file is called: the same anywhere."""
        return f"{self.title or self.name}, {self.description}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One finished exchange of a conversation; reasoning is never part of it."""

    question: str
    answer: str
