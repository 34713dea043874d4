"""How many tokens a second come out of the project's own path, and out of llama.cpp driven directly, by turns.

The path is the child process with its queue, phases and pipes, through `LanguageModel.stream`. Driven directly means by
the class `llama_cpp.Llama`, and by a bare loop over `kb.llama`; with the same model, prompt, options and sampling.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from kb.generation import Delta, EngineOptions, GenerationEnd, GenerationOptions, Message
from kb.llama import Llama
from kb.llm_process import LlamaProcess
from kb.templates import ModelProfile, profile_of

STORY = [Message("user", "Tell a long story about a lighthouse, a storm and a ship that comes home late.")]
BAR = 0.95


class DirectLlama:
    """What `llama_cpp.Llama` does by itself."""

    def __init__(self, path: Path, options: EngineOptions, prompt: Sequence[int], profile: ModelProfile) -> None:
        import llama_cpp

        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=options.context_tokens,
            n_threads=options.threads,
            n_threads_batch=options.threads,
            n_batch=options.batch_tokens,
            n_ubatch=options.batch_tokens,
            n_gpu_layers=options.gpu_layers,
            flash_attn=options.flash_attention is not False,
            verbose=False,
        )
        self._prompt, self._profile = list(prompt), profile

    def __call__(self, count: int) -> float:
        """Tokens in a second, after the first one."""
        temperature, top_p = self._profile.temperature, self._profile.top_p
        tokens = self._llama.generate(
            self._prompt, top_k=0, min_p=0.0, repeat_penalty=1.0, temp=temperature, top_p=top_p
        )
        texts = (self._llama.detokenize([token]) for token in islice(tokens, count))
        return _rate(time.perf_counter() for _ in texts)


class BareLoop:
    """Evaluates and samples with `kb.llama`, and does nothing else."""

    def __init__(self, llama: Llama, prompt: Sequence[int], profile: ModelProfile) -> None:
        self._llama, self._prompt, self._profile = llama, list(prompt), profile

    def __call__(self, count: int) -> float:
        """Tokens in a second, after the first one."""
        return _rate(islice(self._moments(), count))

    def _moments(self) -> Iterator[float]:
        llama = self._llama
        pending = self._prompt[llama.keep_prefix(self._prompt) :]
        with llama.sampler(self._profile.temperature, self._profile.top_p, 0) as sample:
            while True:
                for start in range(0, len(pending), llama.batch_tokens):
                    llama.evaluate(pending[start : start + llama.batch_tokens])
                pending = [sample()]
                yield time.perf_counter()


class Stream:
    """The whole path of the project's own."""

    def __init__(self, model: LlamaProcess) -> None:
        self._model = model

    def __call__(self, count: int) -> float:
        """Tokens in a second, after the first one."""
        first = 0.0
        for item in self._model.stream(STORY, GenerationOptions(reasoning_tokens=0, answer_tokens=count)):
            if isinstance(item, Delta) and not first:
                first = time.perf_counter()
            if isinstance(item, GenerationEnd):
                return (item.answer_tokens - 1) / (time.perf_counter() - first)
        raise AssertionError("a stream ends with its end")


def _rate(moments: Iterator[float]) -> float:
    times = list(moments)
    return (len(times) - 1) / (times[-1] - times[0])


def compare_generation(
    path: Path, options: EngineOptions, model: LlamaProcess, rounds: int, tokens: int, show: Callable[[str], None]
) -> dict[str, Any]:
    """Compares tokens per second.

    Returns:
        Medians of each side, and the median of each round's ratio of the project's own to the others.
    """
    llama = Llama(path, options)
    profile = profile_of(llama.metadata, llama.vocabulary)
    prompt = llama.encode(profile.render(STORY, reasoning=False))
    sides: dict[str, Callable[[int], float]] = {
        "stream": Stream(model),
        "bare loop": BareLoop(llama, prompt, profile),
        "llama_cpp.Llama": DirectLlama(path, options, prompt, profile),
    }
    for side in sides.values():
        side(4)
    names = tuple(sides)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in (*names[number % len(names) :], *names[: number % len(names)]):
            found[name].append(sides[name](tokens))
            show(f"  {name}: {found[name][-1]:.2f} tokens/s")
    llama.close()
    ratios = {
        f"stream / {name}": [ours / theirs for ours, theirs in zip(found["stream"], found[name], strict=True)]
        for name in found
        if name != "stream"
    }
    return {
        "tokens_per_second": {name: round(statistics.median(values), 2) for name, values in found.items()},
        "ratio": {name: round(statistics.median(values), 3) for name, values in ratios.items()},
        "bar": BAR,
    }
