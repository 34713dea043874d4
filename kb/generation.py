"""What goes into a language model and comes out of it. Frozen values; knows nothing about documents."""

from dataclasses import dataclass
from typing import Literal

KVType = Literal["f16", "q8_0"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How llama.cpp runs a model.

    Attributes:
        context_tokens: Size of the context window; at most what the model was trained with is used.
        threads: 0 takes the physical cores that this process may use.
        batch_tokens: Most tokens evaluated at once; llama.cpp reserves a row of logits for each, 600 KB with a
            vocabulary of 152k.
        flash_attention: None leaves it to llama.cpp.
        kv_type: How the key-value cache is kept; `q8_0` takes 17 bytes where `f16` takes 32, and needs flash attention.
        gpu_layers: Layers on the GPU, if llama.cpp was built for one; -1 means all.
    """

    context_tokens: int = 4096
    threads: int = 0
    batch_tokens: int = 128
    flash_attention: bool | None = None
    kv_type: KVType = "f16"
    gpu_layers: int = -1


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What was set by hand of how llama.cpp runs a model: the fields of `EngineOptions`, None where it is to choose."""

    context_tokens: int | None = None
    threads: int | None = None
    batch_tokens: int | None = None
    flash_attention: bool | None = None
    kv_type: KVType | None = None
    gpu_layers: int | None = None


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
    """Questions to be answered with one of two words, before anything is generated; only how likely each is, is read.

    Attributes:
        prompts: The messages of each question. They should begin as the prompt that follows does: what they have in
            common is evaluated once.
        replies: The two words.
    """

    prompts: tuple[tuple[Message, ...], ...]
    replies: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look has shown.

    Attributes:
        margins: For each prompt how much likelier the first word is than the second: the logarithm of the ratio.
    """

    margins: tuple[float, ...]


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
        device: `cpu`, or `gpu` if that holds layers of it.
        title: What the file calls the model (`general.name`); empty where it does not say.
    """

    name: str
    description: str
    reasons: bool
    context_tokens: int
    device: str = "cpu"
    title: str = ""
