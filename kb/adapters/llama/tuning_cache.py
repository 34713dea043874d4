"""What was measured of models on this machine, kept in a JSON file in the models directory.

A file that is damaged or cannot be written costs a measurement, never the model.
"""

import dataclasses
import hashlib
import json
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.adapters.llama.memory import ModelShape
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.atomic_write import write_atomically
from kb.errors import ModelLoadError
from kb.processor import describe_engine

logger = logging.getLogger(__name__)

CACHE_NAME = "tuning.json"
"""In the models directory."""

_VERSION = 1
"""Of the file, and of what is measured: what another version wrote counts for nothing."""

_MOST_ENTRIES = 50
_HEADER_BYTES = 1 << 20
_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was found out about a model on this machine.

    Attributes:
        options: The fastest; context window and kind of cache are those that it was measured with.
        compared: Which of the options were chosen among several.
        prompt_tokens_per_second: With these options.
        generation_tokens_per_second: With these options.
        most_context_tokens: What a GPU had room for; elsewhere, what is ever useful.
        on_gpu: Whether llama.cpp can use a GPU here.
        disturbed_at: When it was measured, in seconds since 1970, if other processes kept the machine busy meanwhile;
            0 means that they did not.
    """

    options: EngineOptions
    compared: tuple[str, ...]
    prompt_tokens_per_second: float
    generation_tokens_per_second: float
    shape: ModelShape
    most_context_tokens: int
    on_gpu: bool
    disturbed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class TuningCache:
    """Measurements of all models by all processes that share a models directory.

    Args:
        path: The file; it and its folder need not be there.
    """

    path: Path

    def find(self, model: Path, given: EngineSettings) -> Measurement | None:
        """Looks for what was measured here of a model, with the same values set by hand.

        Args:
            model: The GGUF file.

        Raises:
            ModelLoadError: It cannot be read.
        """
        try:
            entry = self._entries().get(_key(model, given))
        except OSError as error:
            raise ModelLoadError(f"{model} cannot be read: {error.strerror}", "check who may read it") from error
        with suppress(TypeError, KeyError, ValueError):
            return _decode(entry) if entry else None
        return None

    def keep(self, model: Path, given: EngineSettings, measurement: Measurement) -> None:
        """Writes a measurement into the file, if that can be done."""
        key, entries = _key(model, given), self._entries()
        entries.pop(key, None)
        newest = dict([*entries.items(), (key, dataclasses.asdict(measurement))][-_MOST_ENTRIES:])
        text = json.dumps({"version": _VERSION, "measurements": newest}, indent=1)
        try:
            write_atomically(self.path, text)
        except OSError as error:
            logger.warning(
                "%s cannot be written (%s): the model is measured again next time", self.path, error.strerror
            )

    def _entries(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(content, dict) or content.get("version") != _VERSION:
            return {}
        entries = content.get("measurements")
        return entries if isinstance(entries, dict) else {}


def weights_bytes(model: Path) -> int:
    """Size of a model, all its parts together.

    Args:
        model: The GGUF file; of a split model the first part.
    """
    return sum(part.stat().st_size for part in _parts(model))


def _parts(model: Path) -> Sequence[Path]:
    split = _PART.search(model.name)
    return sorted(model.parent.glob(f"{model.name[: split.start()]}-*-of-{split[1]}.gguf")) if split else [model]


def _key(model: Path, given: EngineSettings) -> str:
    """Names model, machine, and what was set by hand that has a say in speed."""
    with model.open("rb") as file:
        header = hashlib.sha256(file.read(_HEADER_BYTES)).hexdigest()[:16]
    by_hand = {name: value for name, value in dataclasses.asdict(given).items() if value is not None}
    return f"{weights_bytes(model)} {header}; {describe_engine()}; {json.dumps(by_hand)}"


def _decode(entry: Any) -> Measurement:
    options, shape = EngineOptions(**entry["options"]), ModelShape(**entry["shape"])
    numbers = [*dataclasses.astuple(shape), options.threads, options.batch_tokens, options.gpu_layers]
    if not all(isinstance(number, int) for number in numbers) or options.threads < 1 or options.batch_tokens < 1:
        raise ValueError("no measurement")
    return Measurement(**(entry | {"options": options, "shape": shape, "compared": tuple(entry["compared"])}))
