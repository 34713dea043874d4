"""Measures on this machine how fast a model runs, and with which options it runs fastest.

Each option is varied in turn, the one after the other, from the default; candidates take turns, the best time of each
counts, and the default goes only for a clear gain: noise on a shared machine changes nothing.
"""

import dataclasses
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from kb.adapters.llama.context import Llama
from kb.adapters.llama.memory import ENOUGH_CONTEXT_TOKENS, MOST_CONTEXT_TOKENS
from kb.adapters.llama.model_file import can_use_gpu
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.tuning_cache import Measurement
from kb.errors import ModelError, ModelLoadError
from kb.processor import usable_cores

logger = logging.getLogger(__name__)

GAIN = 0.95
"""What takes the place of a default may need at most this share of its time."""

REPEATS = 2
"""Each candidate is timed so often, by turns with the others."""

HOPELESS = 1.3
"""What needs so many times as long as another is not timed again."""

BUDGET_SECONDS = 10.0
"""No further option is varied once the measurement has taken this long."""

LARGE_BATCH_TOKENS = 512
"""Tried where so many tokens of a prompt are read in a second: elsewhere slices of a prompt never grow so long."""

PROMPT_TOKENS, GENERATED_TOKENS = 64, 8
"""A tenth of a question with its passages, and of an answer: what is quick here is quick there."""

DISTURBANCE = 0.25
"""Share of the cores; a measurement beside processes that take more does not count for good."""

_RUN_SECONDS = 1.5  # the longest run, about; large models get fewer tokens
_WARM_UP_TOKENS = 8
_CONTEXT_TOKENS = 1024
_FEWER_LAYERS = (0.75, 0.5, 0.25, 0.0)
_TEXT = "The observatory on the hill was built of red stone, and its second dome was repaired in the spring. "


def measure(path: Path, given: EngineSettings) -> Measurement:
    """Measures a model.

    Args:
        path: The GGUF file; of a split model the first part.
        given: What was set by hand is not varied.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It does not load.
    """
    began, on_gpu = time.monotonic(), can_use_gpu()
    others = _OtherProcesses()
    llama, options = _load(path, given)
    try:
        course = _Course(llama, options, began + BUDGET_SECONDS)
        options, compared = _vary(course, options, given)
        run = course.best(options)
        measurement = Measurement(
            options=options,
            compared=compared,
            prompt_tokens_per_second=round(course.prompt_tokens / run.prompt_seconds, 1),
            generation_tokens_per_second=round(course.generated_tokens / run.generation_seconds, 1),
            shape=llama.shape,
            most_context_tokens=options.context_tokens if on_gpu and options.gpu_layers else MOST_CONTEXT_TOKENS,
            on_gpu=on_gpu,
            disturbed_at=time.time() if others.share() > DISTURBANCE else 0.0,
        )
    finally:
        llama.close()
    logger.info("measured %s in %.1f s: %s", path.name, time.monotonic() - began, measurement)
    return measurement


def _vary(course: "_Course", options: EngineOptions, given: EngineSettings) -> tuple[EngineOptions, tuple[str, ...]]:
    """Finds the fastest options, and which of them were chosen among several."""
    compared = ["gpu_layers"] if given.gpu_layers is None and can_use_gpu() else []
    fewer = options.threads // 2
    while given.threads is None and fewer and course.has_time():
        compared.append("threads")
        options = course.fastest([options, dataclasses.replace(options, threads=fewer)])
        fewer = fewer // 2 if options.threads == fewer else 0
    if given.flash_attention is None and options.kv_type == "f16" and course.has_time():
        compared.append("flash_attention")
        options = course.fastest([options, dataclasses.replace(options, flash_attention=False)])
    speed = course.prompt_tokens / course.best(options).prompt_seconds
    if given.batch_tokens is None and speed > LARGE_BATCH_TOKENS and course.has_time():
        compared.append("batch_tokens")
        larger = dataclasses.replace(options, batch_tokens=LARGE_BATCH_TOKENS)
        options = course.fastest([options, larger], prompt_tokens=LARGE_BATCH_TOKENS)
    return options, tuple(dict.fromkeys(compared))


@dataclass(frozen=True, slots=True)
class _Run:
    """What a prompt and a reply took."""

    prompt_seconds: float
    generation_seconds: float

    @property
    def seconds(self) -> float:
        return self.prompt_seconds + self.generation_seconds


class _Course:
    """The same short prompt and reply, run with different options.

    Args:
        llama: Gets a new context for each run.
        options: What it was loaded with.
        deadline: Of the monotonic clock.
    """

    def __init__(self, llama: Llama, options: EngineOptions, deadline: float) -> None:
        self._llama = llama
        self._deadline = deadline
        tokens = llama.tokenize(_TEXT, control=False)
        self._tokens = tokens * (1 + LARGE_BATCH_TOKENS // len(tokens))
        self._longest = max(1, llama.context_tokens // 2)
        self._best: dict[EngineOptions, _Run] = {}
        self._time(options, 1, 1)  # reads from the disk what was not read yet
        warm = self._time(options, _WARM_UP_TOKENS, 1)
        whole = warm.prompt_seconds * PROMPT_TOKENS / _WARM_UP_TOKENS + warm.generation_seconds * GENERATED_TOKENS
        share = min(1.0, _RUN_SECONDS / whole)
        self.prompt_tokens = min(self._longest, math.ceil(PROMPT_TOKENS * share))
        self.generated_tokens = math.ceil(GENERATED_TOKENS * share)

    def has_time(self) -> bool:
        """Whether there is time to vary something more."""
        return time.monotonic() < self._deadline

    def best(self, options: EngineOptions) -> _Run:
        """The fastest run with these options."""
        return self._best.get(options) or self._run(options)

    def fastest(self, candidates: Sequence[EngineOptions], prompt_tokens: int = 0) -> EngineOptions:
        """The first, the default, unless another one is clearly faster.

        Args:
            prompt_tokens: Compares by a prompt of this length alone; 0: by the usual prompt and reply.
        """
        seconds = dict.fromkeys(candidates, math.inf)
        for _ in range(REPEATS):
            hopeful = [each for each in candidates if seconds[each] <= HOPELESS * min(seconds.values())]
            for candidate in hopeful:
                run = self._time(candidate, prompt_tokens, 0) if prompt_tokens else self._run(candidate)
                seconds[candidate] = min(seconds[candidate], run.seconds)
        best = min(candidates, key=seconds.__getitem__)
        return best if seconds[best] < GAIN * seconds[candidates[0]] else candidates[0]

    def _run(self, options: EngineOptions) -> _Run:
        run = self._time(options, self.prompt_tokens, self.generated_tokens)
        self._best[options] = min(run, self._best.get(options, run), key=lambda each: each.seconds)
        return run

    def _time(self, options: EngineOptions, prompt_tokens: int, generated_tokens: int) -> _Run:
        """One run; endless where llama.cpp cannot run the model with these options."""
        prompt = self._tokens[: min(prompt_tokens, self._longest)]
        try:
            self._llama.renew_context(options)
            began = time.perf_counter()
            for start in range(0, len(prompt), options.batch_tokens):
                self._llama.evaluate(prompt[start : start + options.batch_tokens])
            middle = time.perf_counter()
            for token in prompt[:generated_tokens]:
                self._llama.evaluate([token])
            return _Run(middle - began, time.perf_counter() - middle)
        except ModelError as error:
            logger.debug("%s: %s", options, error.message)
            return _Run(math.inf, math.inf)


class _OtherProcesses:
    """How much processor time others take, from now on."""

    def __init__(self) -> None:
        self._began, self._at_first = time.monotonic(), self._seconds()

    def share(self) -> float:
        """Of the cores that this process may use: how many others kept busy, in 0…1 or more."""
        wall = time.monotonic() - self._began
        return (self._seconds() - self._at_first) / (wall * usable_cores())

    @staticmethod
    def _seconds() -> float:
        times = psutil.cpu_times()
        return float(times.user + times.system) - time.process_time()


def _load(path: Path, given: EngineSettings) -> tuple[Llama, EngineOptions]:
    """Loads the model with the defaults and what was set; on a GPU, with as much of it there as fits."""
    on_gpu = can_use_gpu() and given.gpu_layers != 0
    context_tokens = (given.context_tokens or MOST_CONTEXT_TOKENS) if on_gpu else _CONTEXT_TOKENS
    set_by_hand = {name: value for name, value in dataclasses.asdict(given).items() if value is not None}
    options = EngineOptions(**{"threads": usable_cores(), **set_by_hand, "context_tokens": context_tokens})
    try:
        return Llama(path, options), options
    except ModelLoadError as error:
        failure = error
    if on_gpu:
        for smaller in _smaller(path, options, given):
            try:
                return Llama(path, smaller), smaller
            except ModelLoadError as error:
                failure = error
    raise failure


def _smaller(path: Path, options: EngineOptions, given: EngineSettings) -> Iterator[EngineOptions]:
    """What may fit into a GPU instead: a shorter context, then fewer layers."""
    shorter = options if given.context_tokens else dataclasses.replace(options, context_tokens=ENOUGH_CONTEXT_TOKENS)
    yield shorter
    if given.gpu_layers is None:
        llama = Llama(path, dataclasses.replace(options, context_tokens=_CONTEXT_TOKENS, gpu_layers=0))
        layers = llama.shape.layers
        llama.close()
        for share in _FEWER_LAYERS:
            yield dataclasses.replace(shorter, gpu_layers=int(share * layers))
