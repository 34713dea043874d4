"""How llama.cpp runs a model on this machine: as set by hand, else by a measurement (`speed`) at first load.

The context window follows from the memory that is free now. Knows nothing of queues or prompts; keeps nothing but the
file of `kb.adapters.llama.tuning_cache`.
"""

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kb.adapters.llama.memory import Need, choose_context, free_bytes
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.speed import measure
from kb.adapters.llama.tuning_cache import Measurement, TuningCache, weights_bytes
from kb.errors import ModelMissing

Source = Literal["set", "measured", "default", "memory"]

DISTURBED_SECONDS = 3600.0
"""A measurement that other processes disturbed counts for so long: what is best beside them is slow without them."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a model would be run now.

    Attributes:
        sources: Where each value of the options comes from.
        measurement: What the choice rests on; None where everything was set by hand.
        context_bytes: What the context window takes; 0 where that is not known.
        free_bytes: Memory that the context window was chosen by.
    """

    options: EngineOptions
    sources: dict[str, Source]
    measurement: Measurement | None
    context_bytes: int
    free_bytes: int


def tune(path: Path, given: EngineSettings, cache_path: Path, *, afresh: bool = False) -> EngineOptions:
    """Chooses how to run a model; measures it (some 10 seconds) if that was not done on this machine.

    Args:
        path: The GGUF file; of a split model the first part.
        given: What was set by hand is not measured.
        cache_path: The file of what was measured before; it need not be there.
        afresh: Whether a measurement that was disturbed is repeated, however new it is.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It cannot be read, does not load, or memory is too short for it.
    """
    if by_hand := _all_by_hand(given):
        return by_hand
    if not path.is_file():
        raise ModelMissing(f"there is no model file {path}", "fetch the model again, or correct KB_MODEL")
    free, cache = free_bytes(), TuningCache(cache_path)
    known = cache.find(path, given)
    is_old = known is not None and 0 < known.disturbed_at < time.time() - DISTURBED_SECONDS
    if known is None or is_old or (afresh and known.disturbed_at):
        known = measure(path, given)
        cache.keep(path, given, known)
    return choose(known, given, weights_bytes(path), free).options


def recall(path: Path, given: EngineSettings, cache_path: Path) -> Tuning | None:
    """What `tune` would choose now, without loading anything; None if it would have to measure first.

    Raises:
        ModelLoadError: The file cannot be read, or memory is too short.
    """
    if by_hand := _all_by_hand(given):
        return Tuning(by_hand, {field.name: "set" for field in dataclasses.fields(by_hand)}, None, 0, free_bytes())
    known = TuningCache(cache_path).find(path, given)
    return choose(known, given, weights_bytes(path), free_bytes()) if known else None


def choose(known: Measurement, given: EngineSettings, weights_bytes: int, free_bytes: int) -> Tuning:
    """Puts together what was set, what was measured, and what memory allows.

    Args:
        weights_bytes: Size of the model.
        free_bytes: Before it is loaded.

    Raises:
        ModelLoadError: Memory is too short.
    """
    by_hand = {name: value for name, value in dataclasses.asdict(given).items() if value is not None}
    options = dataclasses.replace(known.options, **by_hand)
    sources: dict[str, Source] = {
        field.name: "set" if field.name in by_hand else "measured" if field.name in known.compared else "default"
        for field in dataclasses.fields(options)
    }
    if given.context_tokens is None:
        on_gpu = _share_on_gpu(known, options)
        need = Need(known.shape, round(weights_bytes * (1 - on_gpu)), options.batch_tokens)
        # Values need flash attention to be kept in 8 bits.
        kv_type = given.kv_type or ("f16" if options.flash_attention is False or on_gpu == 1 else None)
        tokens, kv_type = choose_context(need, free_bytes, kv_type, known.most_context_tokens)
        options = dataclasses.replace(options, context_tokens=tokens, kv_type=kv_type)
        sources["context_tokens"] = "memory"
        if given.kv_type is None and kv_type != known.options.kv_type:
            sources["kv_type"] = "memory"
    if options.kv_type != "f16" and given.flash_attention is None:
        options = dataclasses.replace(options, flash_attention=True)
    context_bytes = options.context_tokens * known.shape.token_bytes(options.kv_type)
    return Tuning(options, sources, known, context_bytes, free_bytes)


def _all_by_hand(given: EngineSettings) -> EngineOptions | None:
    values = dataclasses.asdict(given)
    return None if None in values.values() else EngineOptions(**values)


def _share_on_gpu(known: Measurement, options: EngineOptions) -> float:
    if not known.on_gpu or not options.gpu_layers:
        return 0.0
    return 1.0 if options.gpu_layers < 0 else min(1.0, options.gpu_layers / known.shape.layers)
