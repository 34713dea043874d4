"""The folder of a cross-encoder, known when it is seen: it reads two texts at once and gives one number."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.errors import ModelDownloadError
from kb.models.fetch import RemoteFile

_CONFIG = "config.json"
_SENTENCE_CONFIG = "config_sentence_transformers.json"
_MODULES = "modules.json"

FILES = tuple(map(RemoteFile, (_CONFIG, "tokenizer_config.json", "tokenizer.json", "model.safetensors")))
"""What most of them are made of."""


def is_cross_encoder(folder: Path) -> bool:
    """Whether a folder says that it holds a cross-encoder, in one of the two ways in which they are published."""
    kind = _read(folder / _SENTENCE_CONFIG).get("model_type")
    if kind or (folder / _MODULES).exists():
        return kind == "CrossEncoder"
    architectures = _read(folder / _CONFIG).get("architectures")
    return isinstance(architectures, list) and any(str(a).endswith("ForSequenceClassification") for a in architectures)


def check_cross_encoder(folder: Path) -> None:
    """Looks whether a folder that was fetched holds a cross-encoder; it is deleted if not, to start over next time.

    Raises:
        ModelDownloadError: It does not.
    """
    if not is_cross_encoder(folder):
        shutil.rmtree(folder)
        raise ModelDownloadError("by its configuration it is not a cross-encoder")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
