"""A GGUF file, known by its bytes: nothing of llama.cpp is needed for that."""

import hashlib
from pathlib import Path

SUFFIX = ".gguf"
_SAMPLE_BYTES = 1 << 16


def is_gguf(path: Path) -> bool:
    """Whether a path is that of a GGUF file."""
    return path.suffix == SUFFIX


def identity(path: Path) -> str:
    """Names a model by its file: its name, and a fingerprint of its length, its header and its last weights.

    Args:
        path: Of a file that is there.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(str(size_bytes).encode() + file.read(_SAMPLE_BYTES))
        file.seek(-min(_SAMPLE_BYTES, size_bytes), 2)
        digest.update(file.read(_SAMPLE_BYTES))
    return f"{path.stem}@{digest.hexdigest()[:12]}"
