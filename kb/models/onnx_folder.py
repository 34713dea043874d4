"""What was prepared for this machine's processor beside an embedding model, and the record that says from what.

Two files: `model_int8.2.onnx`, and `model_int8.2.json` with the record, which is written last: without a record that
fits, the other file counts as not there. The number is that of the conversion, so that two versions of this software
may share a model. Knows names, sizes and times; what is inside a model is not looked at.
"""

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

VERSION = 2
"""Of the conversion; a change in what it writes raises it, and every model is converted anew."""

_PREPARED = "model_int8."
_STEM = f"{_PREPARED}{VERSION}"
_MODEL_NAME = f"{_STEM}.onnx"
_RECORD_NAME = f"{_STEM}.json"
_EARLIER_NAMES = ("model_int8.json", "model_int8.onnx")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of converting an embedding model.

    Attributes:
        source: Fingerprint of the files that it was made from.
        refusal: Why this model cannot be converted; empty where it was, and then the rest has a meaning.
        model_bytes: Size of the converted file.
        dimension: Length of a vector.
        max_tokens: Longest input, special tokens included.
        query_prompt: Goes before a question.
        passage_prompt: Goes before a passage.
        agreement: Mean cosine between its vectors and those of the original, for a few sentences.
    """

    source: str
    refusal: str = ""
    model_bytes: int = 0
    dimension: int = 0
    max_tokens: int = 0
    query_prompt: str = ""
    passage_prompt: str = ""
    agreement: float = 0.0


def model_path(folder: Path) -> Path:
    """Where the converted file of a model is."""
    return folder / _MODEL_NAME


def is_prepared_file(path: Path) -> bool:
    """Whether a file was prepared here, and so is no part of the model as it came."""
    return path.name.startswith(_PREPARED)


def fingerprint(folder: Path) -> str:
    """Names the state of a model's own files by their names, sizes and times of change.

    Args:
        folder: Of an embedding model in sentence-transformers' layout.
    """
    files = [
        (path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_prepared_file(path)
    ]
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def read_conversion(folder: Path) -> Conversion | None:
    """What is known about the conversion of a model.

    Returns:
        None if there was none, if the model has changed since, or if the converted file is not whole.
    """
    try:
        conversion = Conversion(**json.loads((folder / _RECORD_NAME).read_text("utf-8")))
        whole = conversion.refusal or model_path(folder).stat().st_size == conversion.model_bytes
    except (OSError, ValueError, TypeError):
        return None
    return conversion if whole and conversion.source == fingerprint(folder) else None


def place_conversion(folder: Path, conversion: Conversion, model: Path | None = None) -> None:
    """Puts a converted file and its record in place, and removes those of earlier versions.

    A crash in between leaves the model unconverted.

    Args:
        model: The converted file, somewhere in `folder` under a name for which `is_prepared_file` holds; None for a
            refusal.

    Raises:
        OSError: The folder cannot be written.
    """
    (folder / _RECORD_NAME).unlink(missing_ok=True)
    if model:
        model.replace(model_path(folder))
    record = folder / f"{_RECORD_NAME}.{os.getpid()}"
    record.write_text(json.dumps(dataclasses.asdict(conversion), indent=2, ensure_ascii=False) + "\n", "utf-8")
    record.replace(folder / _RECORD_NAME)
    for name in _EARLIER_NAMES:
        (folder / name).unlink(missing_ok=True)


def remove_conversion(folder: Path) -> None:
    """Forgets a conversion, so that the model is converted anew.

    Raises:
        OSError: The folder cannot be written.
    """
    (folder / _RECORD_NAME).unlink(missing_ok=True)


def temporary_path(folder: Path) -> Path:
    """Where to write a converted file until it is whole."""
    return folder / f"{_MODEL_NAME}.{os.getpid()}"
