"""How llama.cpp runs a model: what is chosen, and what was set by hand. Frozen values."""

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
