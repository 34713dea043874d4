"""How much memory is free, and how large a context window fits into it.

Knows nothing of llama.cpp. The first half asks the system; the second is arithmetic.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

from kb.adapters.llama.options import KVType
from kb.errors import ModelLoadError

MOST_CONTEXT_TOKENS = 8192
"""More than prompt, reasoning and answer ever need here; each token costs memory that others can use."""

ENOUGH_CONTEXT_TOKENS = 4096
"""Below this, long reasoning has to be cut short; so a smaller key-value cache is worth its loss of precision."""

LEAST_CONTEXT_TOKENS = 1024
"""Below this, four passages and an answer do not fit."""

MARGIN_BYTES = 256_000_000
"""Left free for whatever else runs here."""

_KV_BLOCK = 32
_KV_BYTES: dict[KVType, int] = {"f16": 64, "q8_0": 34}  # of 32 values: q8_0 keeps 32 bytes and a scale of two


def free_bytes(root: Path = Path("/")) -> int:
    """How much memory this process can still take without swapping: of the machine, and of its control groups.

    Args:
        root: Where `proc` and `sys` are.
    """
    return max(0, min([psutil.virtual_memory().available, *_control_groups(root)]))


def _control_groups(root: Path) -> Iterator[int]:
    """What is free in each control group with a limit (versions 1 and 2) that this process is in."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux, or nothing mounted
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            names, top = ("memory.max", "memory.current", ""), root / "sys/fs/cgroup"
        elif "memory" in controllers.split(","):
            names, top = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"), root / "sys/fs/cgroup/memory"
        else:
            continue
        place = PurePosixPath(path.lstrip("/"))
        # In a container, the path is often that of the host, where only the top can be seen.
        yield from (room for part in (place, *place.parents) if (room := _room(top / part, *names)) is not None)


def _room(group: Path, limit: str, usage: str, prefix: str) -> int | None:
    try:
        limit_bytes = int((group / limit).read_text())
        used_bytes = int((group / usage).read_text())
        rows = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None
    # Pages of files count as used, but make room at once.
    pages = sum(int(rows.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
    return limit_bytes - used_bytes + pages


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What of a model decides how much memory its context takes.

    Attributes:
        head_size: Values of a key, and of a value, in one head.
        trained_tokens: Longest context that it was trained with.
        vocabulary: How many tokens it knows.
    """

    layers: int
    kv_heads: int
    head_size: int
    trained_tokens: int
    vocabulary: int

    def token_bytes(self, kv_type: KVType) -> int:
        """What a token in the context takes."""
        return self.layers * self.kv_heads * self.head_size * 2 * _KV_BYTES[kv_type] // _KV_BLOCK

    def can_quantize(self) -> bool:
        """Whether its keys and values can be kept as `q8_0`."""
        return self.head_size % _KV_BLOCK == 0


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes of memory, whatever its context.

    Attributes:
        weights_bytes: As far as they are not on a GPU.
        batch_tokens: Most tokens evaluated at once.
    """

    shape: ModelShape
    weights_bytes: int
    batch_tokens: int

    @property
    def fixed_bytes(self) -> int:
        """Weights, what llama.cpp computes in, and the margin."""
        return self.weights_bytes + 4 * self.batch_tokens * self.shape.vocabulary + MARGIN_BYTES

    def context_tokens(self, free_bytes: int, kv_type: KVType) -> int:
        """How many tokens fit, at most what is useful and what the model was trained with; may be negative.

        Args:
            free_bytes: Before the model is loaded.
        """
        fitting = (free_bytes - self.fixed_bytes) // max(1, self.shape.token_bytes(kv_type))
        return min(fitting, MOST_CONTEXT_TOKENS, self.shape.trained_tokens)


def choose_context(
    need: Need, free_bytes: int, kv_type: KVType | None, most_tokens: int = MOST_CONTEXT_TOKENS
) -> tuple[int, KVType]:
    """Chooses the context window, and how it is kept.

    Args:
        free_bytes: Before the model is loaded.
        kv_type: None is `f16`, or `q8_0` where only that makes the window long enough.
        most_tokens: What a GPU has room for.

    Raises:
        ModelLoadError: Not even the least context fits.
    """
    chosen: KVType = kv_type or "f16"
    enough = min(ENOUGH_CONTEXT_TOKENS, need.shape.trained_tokens)
    if kv_type is None and need.shape.can_quantize() and need.context_tokens(free_bytes, "f16") < enough:
        chosen = "q8_0"
    tokens = min(need.context_tokens(free_bytes, chosen), most_tokens)
    least = min(LEAST_CONTEXT_TOKENS, need.shape.trained_tokens)
    if tokens < least:
        wanted = need.fixed_bytes + least * need.shape.token_bytes(chosen)
        raise ModelLoadError(
            f"the answering model needs {wanted / 1e9:.1f} GB of memory with a context of {least} tokens, "
            f"but {free_bytes / 1e9:.1f} GB are free: {(wanted - free_bytes) / 1e9:.2f} GB are missing",
            "choose a smaller model (`kb models list`), close other programs, or set KB_CONTEXT_TOKENS to try anyway",
        )
    return tokens, chosen
